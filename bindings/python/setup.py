"""Builds the wheel, which carries the library and avf-vmm: it needs nothing
installed but the libraries that those link.

    pip wheel --no-build-isolation bindings/python

runs cmake on this source tree. With AVF_BUILD_DIR in the environment, it
takes what is built there instead.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def version():
    text = (ROOT / "CMakeLists.txt").read_text()
    return re.search(r"VERSION (\d+\.\d+\.\d+)", text)[1]


def cmake(build):
    ninja = ["-G", "Ninja"] if shutil.which("ninja") else []
    subprocess.run(
        ["cmake", *ninja, "-S", ROOT, "-B", build, "-DAVF_TESTS=OFF",
         "-DAVF_EXAMPLES=OFF", "-DAVF_JAVA=OFF", "-DAVF_PYTHON=ON",
         "-DCMAKE_BUILD_TYPE=Release",
         f"-DPython3_EXECUTABLE={sys.executable}"], check=True)
    subprocess.run(["cmake", "--build", build, "--target", "avf_python",
                    "avf-vmm"], check=True)


class Build(build_py):
    def run(self):
        # an older build may have left files that are no more
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        build = os.environ.get("AVF_BUILD_DIR")
        if not build:
            build = HERE / "build" / "cmake"
            cmake(build)
        build = pathlib.Path(build)
        target = pathlib.Path(self.build_lib) / "avf"
        [native] = (build / "python" / "avf").glob("_native.*.so")
        # avf-vmm is looked for relative to the library
        vmm = "libexec/libvirtualization/avf-vmm"
        for source, name in ((native, native.name),
                             (build / "lib/libvirtualization.so.0",
                              "lib/libvirtualization.so.0"),
                             (build / "lib/libvirtualization-binder.so.0",
                              "lib/libvirtualization-binder.so.0"),
                             (build / vmm, vmm)):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)


class Binary(Distribution):
    """Not for every platform, though setuptools builds no extension."""

    def has_ext_modules(self):
        return True


setup(version=version(), packages=["avf", "avf.rpc"],
      package_data={"avf": ["py.typed", "*.pyi"]},
      distclass=Binary, cmdclass={"build_py": Build})
