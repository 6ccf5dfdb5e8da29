"""The package as such: stubs, table of the probe, time to import, wheel."""
import ast
import enum
import inspect
import os
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import unittest

import avf
import support


def with_wheel():
    """An interpreter for which our extension was built, that makes wheels."""
    code = ("import setuptools, wheel, pip, sysconfig;"
            "print(sysconfig.get_config_var('SOABI'))")
    for python in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run([python, "-c", code], timeout=60, text=True,
                              capture_output=True)
        if done.stdout.strip() == sysconfig.get_config_var("SOABI"):
            return python
    raise unittest.SkipTest("no Python here has pip, setuptools and wheel")


STUB = pathlib.Path(avf.__file__).with_suffix(".pyi")


def is_public(name):
    return not name.startswith("_") or name in SPECIAL


# Special methods that people see: what a with, a for or an index calls.
SPECIAL = {"__init__", "__enter__", "__exit__", "__del__", "__iter__",
           "__next__", "__aiter__", "__anext__", "__len__", "__getitem__",
           "__eq__", "__hash__", "__repr__", "__str__"}


def parameters(function):
    """(name, kind, has a default) of a parameter, of each."""
    return [(p.name, p.kind, p.default is not p.empty)
            for p in inspect.signature(function).parameters.values()]


def stub_parameters(node):
    args = node.args
    positional = args.posonlyargs + args.args
    first = len(positional) - len(args.defaults)
    kinds = inspect.Parameter
    rows = [(arg.arg, kinds.POSITIONAL_OR_KEYWORD, i >= first)
            for i, arg in enumerate(positional)]
    if args.vararg:
        rows.append((args.vararg.arg, kinds.VAR_POSITIONAL, False))
    rows += [(arg.arg, kinds.KEYWORD_ONLY, default is not None)
             for arg, default in zip(args.kwonlyargs, args.kw_defaults)]
    return rows


class Stubs(unittest.TestCase):
    """The stub file against the package, name by name."""

    def setUp(self):
        body = ast.parse(STUB.read_text()).body
        self.classes = {node.name: node for node in body
                        if isinstance(node, ast.ClassDef)}
        self.functions = {node.name: node for node in body
                          if isinstance(node, ast.FunctionDef)}
        self.variables = {node.target.id for node in body
                          if isinstance(node, ast.AnnAssign)}

    def test_names(self):
        told = {*self.classes, *self.functions, *self.variables}
        self.assertEqual({name for name in told if is_public(name)},
                         set(avf.__all__))
        for name in avf.__all__:
            self.assertTrue(hasattr(avf, name), name)
        self.assertLessEqual(set(avf.__all__), set(dir(avf)))
        self.assertRaises(AttributeError, lambda: avf.no_such_name)

    def test_numbers_are_those_of_the_headers(self):
        enums = [node for node in self.classes.values()
                 if ast.unparse(node.bases[0] if node.bases else node)
                 in ("IntEnum", "IntFlag")]
        self.assertEqual(len(enums), 12)
        for node in enums:
            told = {line.targets[0].id: ast.literal_eval(line.value)
                    for line in node.body}
            enum = getattr(avf, node.name)
            self.assertEqual(told, {name: int(member) for name, member
                                    in enum.__members__.items()}, node.name)

    def test_functions(self):
        for name, node in self.functions.items():
            if name != "version":  # of the C module
                self.assertEqual(stub_parameters(node),
                                 parameters(getattr(avf, name)), name)

    def test_members(self):
        for node in self.classes.values():
            kind = getattr(avf, node.name, None)
            if kind is None or issubclass(kind, enum.IntEnum | enum.IntFlag):
                continue
            with self.subTest(kind=node.name):
                told = {line.target.id if isinstance(line, ast.AnnAssign)
                        else line.name for line in node.body
                        if not isinstance(line, ast.Expr)}
                has = {name for name, member in vars(kind).items()
                       if is_public(name) and member is not None}
                has |= set(kind.__annotations__
                           if "__annotations__" in vars(kind) else ())
                self.assertEqual(told, has)
                self.assertEqual(
                    {line.name for line in node.body for mark in
                     getattr(line, "decorator_list", ())
                     if ast.unparse(mark).endswith(".setter")},
                    {name for name, member in vars(kind).items()
                     if isinstance(member, property) and member.fset})
                for line in node.body:
                    if isinstance(line, (ast.FunctionDef,
                                         ast.AsyncFunctionDef)):
                        self.check_member(kind, line)

    def check_member(self, kind, node):
        what = f"{kind.__name__}.{node.name}"
        member = inspect.getattr_static(kind, node.name)
        marks = [ast.unparse(mark) for mark in node.decorator_list]
        if isinstance(member, property):
            self.assertIn(marks, [["property"], [node.name + ".setter"]])
            return
        if "overload" in marks:
            return
        self.assertEqual(isinstance(member, classmethod),
                         "classmethod" in marks, what)
        function = getattr(member, "__func__", member)
        self.assertEqual(inspect.iscoroutinefunction(function),
                         isinstance(node, ast.AsyncFunctionDef), what)
        told, has = stub_parameters(node), parameters(function)
        if what == "Config.__init__":
            told, fields = told[:3], told[3:]
            self.assertEqual(has.pop()[1], inspect.Parameter.VAR_KEYWORD)
            self.assertEqual({field for field, _, _ in fields},
                             {name[4:] for name in dir(kind)
                              if name.startswith("set_")})
        self.assertEqual(told, has, what)

    def test_everything_has_a_type(self):
        for node in ast.walk(ast.parse(STUB.read_text())):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            self.assertIsNotNone(node.returns, node.name)
            args = node.args.args + node.args.kwonlyargs
            for arg in args:
                self.assertTrue(arg.annotation or arg.arg in ("self", "cls"),
                                f"{node.name}: {arg.arg}")


class Package(unittest.TestCase):
    def test_version(self):
        text = (support.SOURCE / "CMakeLists.txt").read_text()
        self.assertIn(f"VERSION {avf.version()} ", text)

    def test_probe_table(self):
        out = subprocess.run([sys.executable, "-m", "avf"], timeout=60,
                             check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        self.assertIn("kvm.vcpu", out)
        self.assertIn("capabilities: ", out)

    def loaded_by(self, code, modules):
        code += f"; import sys; print(*{modules!r} & sys.modules.keys())"
        return subprocess.run([sys.executable, "-S", "-c", code], timeout=60,
                              check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()

    def test_import_leaves_heavy_modules_out(self):
        self.assertEqual(self.loaded_by(
            "import avf; avf.probe()['kvm.device'].reason",
            {"asyncio", "collections", "dataclasses", "enum", "functools",
             "inspect", "re", "socket", "threading", "typing"}), "")
        self.assertEqual(self.loaded_by(
            "import avf; avf.Vm, avf.Manager",
            {"asyncio", "dataclasses", "inspect", "re", "socket",
             "threading", "typing"}), "")

    def test_python_is_new_enough(self):
        text = (support.SOURCE / "bindings/python/pyproject.toml").read_text()
        self.assertIn('requires-python = ">=3.11"', text)
        for file in pathlib.Path(avf.__file__).parent.glob("*.py"):
            # the syntax of 3.11 is enough
            ast.parse(file.read_text(), file.name, feature_version=(3, 11))

    def test_wheel(self):
        self.python = with_wheel()
        env = dict(os.environ, AVF_BUILD_DIR=str(support.BUILD))
        del env["PYTHONPATH"]
        with tempfile.TemporaryDirectory() as dir:
            done = subprocess.run(
                [self.python, "-m", "pip", "wheel", "--no-index", "--quiet",
                 "--no-build-isolation", "--wheel-dir", dir,
                 support.SOURCE / "bindings" / "python"], env=env,
                timeout=100, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout)
            [wheel] = pathlib.Path(dir).glob("avf-*.whl")
            self.assertNotIn("none-any", wheel.name)
            self.use_wheel(wheel, pathlib.Path(dir) / "site", env)

    def use_wheel(self, wheel, site, env):
        subprocess.run([self.python, "-m", "pip", "install", "--quiet",
                        "--no-index", "--target", site, wheel], env=env,
                       timeout=100, check=True)
        env["PYTHONPATH"] = str(site)
        # no row of the probe needs avf-vmm; that it is found does
        code = ("import avf, os, sys\n"
                "vm = avf.Vm(avf.Config(kernel=sys.argv[1]))\n"
                "vm.run()\n"
                "print(avf.__file__, os.readlink(f'/proc/{vm.pid}/exe'))\n")
        out = subprocess.run([self.python, "-c", code,
                              support.bare("spin")], env=env, check=True,
                             timeout=60, text=True, cwd=site,
                             stdout=subprocess.PIPE).stdout
        for path in out.split():
            self.assertTrue(path.startswith(str(site)), path)


support.main()
