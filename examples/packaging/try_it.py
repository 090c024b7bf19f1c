"""Call the compiled function on something that the standard library exports."""

from array import array

import average

print(average.mean(array("d", [1.0, 2.0, 6.0])))
