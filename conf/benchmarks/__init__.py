"""Programs that take long and tell how fast something is; no test depends on what they measure.

``python -m benchmarks.comparisons`` measures the comparisons of the site again and again.
"""
