/*
 * Typemaps of Python. Blocking functions release the GIL; the error record
 * is per thread, so that it can be read after the GIL came back.
 */
%nothread;
%define AVF_BLOCKING(function)
%thread function;
%enddef

%{
/* Raise avf.AvfError(code, name, text, errno). */
static void raise_error(int code)
{
	const struct avf_error *error = avf_last_error();
	/* owned: the module may load while the text is in use */
	PyObject *module, *type = NULL, *value = NULL;
	PyObject *text = PyUnicode_DecodeUTF8(
		error->text, (Py_ssize_t)strlen(error->text), "replace");
	int sys_errno = error->sys_errno;

	module = text ? PyImport_ImportModule("avf._errors") : NULL;
	if (module)
		type = PyObject_GetAttrString(module, "AvfError");
	if (type)
		value = PyObject_CallFunction(type, "isOi", code,
					      avf_error_name(code), text,
					      sys_errno);
	if (value)
		PyErr_SetObject(type, value);
	Py_XDECREF(value);
	Py_XDECREF(type);
	Py_XDECREF(module);
	Py_XDECREF(text);
}
%}

/* A count stays; where there is a ret_x, it replaces the None of a zero. */
%typemap(out) int {
	if ($1 < 0) {
		raise_error($1);
		SWIG_fail;
	}
	$result = $1 > 0 ? PyLong_FromLong($1) : SWIG_Py_Void();
}
%define AVF_PLAIN_INT(function)
%typemap(out) int function "$result = PyLong_FromLong($1);"
%enddef

%define AVF_HANDLE(type, name)
%typemap(in, numinputs=0) type **name (type *made = NULL) "$1 = &made;"
%typemap(argout) type **name {
	$result = SWIG_Python_AppendOutput($result,
		SWIG_NewPointerObj(made$argnum, $descriptor(type *), 0));
}
/* NULL is what the C API does not want, but in the _free functions. */
%typemap(check) type * {
	if (!$1) {
		PyErr_SetString(PyExc_ValueError, "the handle is NULL");
		SWIG_fail;
	}
}
%enddef

%typemap(in, numinputs=0) int *ret_fd (int fd = -1) "$1 = &fd;"
%typemap(argout) int *ret_fd {
	$result = SWIG_Python_AppendOutput($result, PyLong_FromLong(fd$argnum));
}

/* An event is a tuple (type, code, time_ns, text), or None. */
%typemap(in, numinputs=0) struct avf_event *ret_event
	(struct avf_event event = AVF_EVENT_INIT) "$1 = &event;"
%typemap(argout) struct avf_event *ret_event {
	if (result > 0) {
		PyObject *text = PyUnicode_DecodeUTF8(event$argnum.text,
			(Py_ssize_t)strlen(event$argnum.text), "replace");

		Py_DECREF($result);
		$result = text ? Py_BuildValue("iiKN", event$argnum.type,
			event$argnum.code,
			(unsigned long long)event$argnum.time_ns, text) : NULL;
		if (!$result)
			SWIG_fail;
	}
}
%ignore avf_event;

/* Text from the C side is UTF-8; a guest may have cut it anywhere. */
%typemap(out) const char * {
	$result = $1 ? PyUnicode_DecodeUTF8($1, (Py_ssize_t)strlen($1),
		"replace") : SWIG_Py_Void();
	if (!$result)
		SWIG_fail;
}

/* A path or a name: str (as the file system has it), bytes or os.PathLike;
 * None is NULL. */
%typemap(in) const char * (PyObject *bytes = NULL) {
	$1 = NULL;
	if ($input != Py_None) {
		if (!PyUnicode_FSConverter($input, &bytes))
			SWIG_fail;
		$1 = PyBytes_AS_STRING(bytes);
	}
}
%typemap(freearg) const char * "Py_XDECREF(bytes$argnum);"
%typemap(typecheck, precedence=SWIG_TYPECHECK_STRING) const char * "$1 = 1;"

%typemap(in) (const char *text, size_t size) (Py_buffer view) {
	if (PyObject_GetBuffer($input, &view, PyBUF_SIMPLE) < 0) {
		view.obj = NULL;
		SWIG_fail;
	}
	$1 = (char *)view.buf;
	$2 = (size_t)view.len;
}
%typemap(arginit) (const char *text, size_t size) "view$argnum.obj = NULL;"
%typemap(freearg) (const char *text, size_t size) {
	if (view$argnum.obj)
		PyBuffer_Release(&view$argnum);
}

/* A sequence of paths, as an array that ends with NULL. */
%typemap(in) const char *const *libraries (PyObject *list = NULL) {
	Py_ssize_t n, i;

	list = PySequence_List($input);
	if (!list)
		SWIG_fail;
	n = PyList_GET_SIZE(list);
	$1 = calloc((size_t)n + 1, sizeof(*$1));
	if (!$1) {
		PyErr_NoMemory();
		SWIG_fail;
	}
	for (i = 0; i < n; i++) {
		PyObject *bytes;

		if (!PyUnicode_FSConverter(PyList_GET_ITEM(list, i), &bytes))
			SWIG_fail;
		/* the list keeps it alive, and takes it */
		PyList_SetItem(list, i, bytes);
		((const char **)$1)[i] = PyBytes_AS_STRING(bytes);
	}
}
%typemap(freearg) const char *const *libraries {
	free((void *)$1);
	Py_XDECREF(list$argnum);
}
%typemap(arginit) const char *const *libraries "$1 = NULL;"
%apply const char *const *libraries { const char *const *programs };

%rename(avf_image_build) image_build;
%rename(avf_package_create) package_create;
%inline %{
static int package_create(const char *output, const char *name,
			  const char *const *libraries, const char *assets,
			  const char *const *programs)
{
	struct avf_package_options options = AVF_PACKAGE_OPTIONS_INIT;

	options.output = output;
	options.name = name;
	options.libraries = libraries;
	options.assets = assets;
	options.programs = programs;
	return avf_package_create(&options);
}
%}

%{
/* Runs on the calling thread, which gave up the GIL. An exception ends
 * nothing: it is shown as one that nobody can catch. */
static void tell_progress(void *userdata, const char *text)
{
	PyGILState_STATE state = PyGILState_Ensure();
	PyObject *result = PyObject_CallFunction(userdata, "s", text);

	if (!result)
		PyErr_WriteUnraisable(userdata);
	Py_XDECREF(result);
	PyGILState_Release(state);
}
%}
%typemap(in) PyObject *progress "$1 = $input;"
%inline %{
static int image_build(const char *output, const char *kernel_package,
		       PyObject *progress, int architecture,
		       const char *guest_dir, const char *kernel)
{
	struct avf_image_options options = AVF_IMAGE_OPTIONS_INIT;

	options.output = output;
	options.kernel_package = kernel_package;
	options.architecture = (enum avf_architecture)architecture;
	options.guest_dir = guest_dir;
	options.kernel = kernel;
	if (progress != Py_None) {
		options.progress = tell_progress;
		options.userdata = progress;
	}
	return avf_image_build(&options);
}
%}
