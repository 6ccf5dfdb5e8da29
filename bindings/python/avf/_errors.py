"""The one exception of this package. The C module imports it by name."""
from __future__ import annotations


class AvfError(Exception):
    """A call failed. str() is the C library's text."""

    #: One of the negative AVF_ERR_* numbers.
    code: int
    #: Its name, for instance "AVF_ERR_STATE".
    name: str
    #: What failed, why, and what to do next.
    text: str
    #: errno of the system call that failed, or 0.
    errno: int

    def __init__(self, code, name, text, errno=0):
        super().__init__(code, name, text, errno)
        self.code = code
        self.name = name
        self.text = text
        self.errno = errno

    def __str__(self):
        return f"{self.name}: {self.text}"
