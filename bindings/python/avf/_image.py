"""Making the microguest image and payload packages."""
from . import _native as c


def image_build(output=None, kernel_package=None, progress=None,
                architecture=c.AVF_ARCHITECTURE_HOST, guest_dir=None,
                kernel=None):
    """Build the microguest into the directory output (the user's default).

    kernel_package is a Debian package; without it one is downloaded. Or
    kernel is a kernel of one's own, with all that the guest needs built in.
    progress(text) is called for each step. For another architecture than the
    host's, guest_dir may name the library's programs for such a guest.
    """
    c.avf_image_build(output, kernel_package, progress, architecture,
                      guest_dir, kernel)


def package_create(output, name, libraries, assets=None,
                   programs=()):
    """Make the payload package output of payload libraries, a directory of
    assets, and programs that the payload may execute in bin/."""
    c.avf_package_create(output, name, _paths(libraries), assets,
                         _paths(programs))


def _paths(one_or_more):
    if isinstance(one_or_more, (str, bytes)) or hasattr(one_or_more,
                                                        "__fspath__"):
        return [one_or_more]
    return one_or_more
