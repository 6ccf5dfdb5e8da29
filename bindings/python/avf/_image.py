"""Making the microguest image and payload packages."""
from __future__ import annotations

from . import _native as c


def image_build(output=None, kernel_package=None, progress=None) -> None:
    """Build the microguest into the directory output (the user's default).

    kernel_package is a Debian package; without it one is downloaded.
    progress(text) is called for each step.
    """
    c.avf_image_build(output, kernel_package, progress)


def package_create(output, name: str, libraries, assets=None) -> None:
    """Make the payload package output of payload libraries and a directory
    of assets."""
    if isinstance(libraries, (str, bytes)) or hasattr(libraries,
                                                      "__fspath__"):
        libraries = [libraries]
    c.avf_package_create(output, name, libraries, assets)
