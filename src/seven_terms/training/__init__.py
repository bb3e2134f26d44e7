"""Training: stack -> metrics file. Lightning drives it."""

from .reproducible import use_strict_products

use_strict_products()

from .calibrate import calibrate as calibrate  # noqa: E402 - after the setting above, before any product
from .train_stack import train_stack as train_stack  # noqa: E402
