"""Makes the fixtures of ``support`` known to pytest.

They are in a module of another name because ``examples/tests`` has a ``conftest`` too, and tests
import from one of the two by name.
"""

from c_corpus import corpus  # noqa: F401
from support import *  # noqa: F403
