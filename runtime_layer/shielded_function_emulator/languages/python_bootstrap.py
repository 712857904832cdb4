"""/var/runtime/bootstrap.py: starts the Python runtime client with the handler that _HANDLER names.

As in Lambda, a wrapper that changes _HANDLER changes the handler, and the function's own modules come first, whatever
the current directory is. As AWS's bootstrap does, it reads the .pth files of the function's code.
"""

import os
import site
import sys

from awslambdaric.__main__ import main

if __name__ == "__main__":  # multiprocessing imports it again in a child
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    site.addsitedir(os.environ["LAMBDA_TASK_ROOT"])
    main([sys.argv[0], os.environ["_HANDLER"]])
