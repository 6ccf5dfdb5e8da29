/*
 * Code that Debian's aidl generated, from the proxy through parcels to the
 * implementation: every type, every direction, every way to fail. The same
 * tests run within the process and over a session.
 *
 * usage: test_aidl local|session|PATH|PACKAGE.avfpkg [TEST]
 *        test_aidl serve PATH    until the end of standard input
 */
#include "checks.h"
#include "peer.h"
#include "test_service.h"

#include <limits>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using aidl::com::example::BpTest;
using strings = std::vector<std::string>;
using maybe_strings = std::vector<std::optional<std::string>>;

static Peer *peer;

static ITest &test()
{
	return peer->test();
}

/* @method gives back @v. */
template <typename R, typename A>
static void repeats(ScopedAStatus (ITest::*method)(A, R *),
		    const std::vector<R> &values)
{
	for (R v : values) {
		R back{};

		CHECK_OK((test().*method)(v, &back));
		CHECK(back == v);
	}
}

/* @method gives back @v, its last element first. */
template <typename V>
static void reverses(ScopedAStatus (ITest::*method)(const V &, V *), const V &v)
{
	V back;

	CHECK_OK((test().*method)(v, &back));
	CHECK(back == V(v.rbegin(), v.rend()));
	CHECK_OK((test().*method)(V(), &back));
	CHECK(back.empty());
}

static void scalars()
{
	using int_limits = std::numeric_limits<int32_t>;
	using long_limits = std::numeric_limits<int64_t>;

	repeats<bool>(&ITest::repeatBoolean, {true, false});
	repeats<int8_t>(&ITest::repeatByte, {0, 127, -128});
	repeats<char16_t>(&ITest::repeatChar, {0, u'a', 0xffff});
	repeats<int32_t>(&ITest::repeatInt,
			 {0, int_limits::min(), int_limits::max()});
	repeats<int64_t>(&ITest::repeatLong,
			 {0, long_limits::min(), long_limits::max()});
	repeats<float>(&ITest::repeatFloat,
		       {0, -1.5F, std::numeric_limits<float>::infinity()});
	repeats<double>(&ITest::repeatDouble, {0, 1e300, -0.1});
}

static void text()
{
	using namespace std::string_literals;
	/* 1, 2, 3 and 4 bytes of UTF-8; a NUL inside */
	const strings values = {"", "a", "\u00e9\u20ac\U0001f600", "a\0b"s,
				std::string(4096, 'x')};

	repeats<std::string>(&ITest::repeatString, values);
	repeats<std::string>(&ITest::repeatUtf8, values);
	repeats<std::optional<std::string>>(&ITest::repeatMaybeString,
					    {std::nullopt, "", "some"});
	repeats<std::optional<std::string>>(&ITest::repeatMaybeUtf8,
					    {std::nullopt, "", "some"});
}

static void arrays()
{
	reverses<std::vector<bool>>(&ITest::reverseBooleans,
				    {true, false, false});
	reverses<std::vector<int8_t>>(&ITest::reverseBytes, {1, -2, 3, 4, 5});
	reverses<std::vector<char16_t>>(&ITest::reverseChars, {u'a', 0xffff});
	reverses<std::vector<int32_t>>(&ITest::reverseInts, {1, -2, 3});
	reverses<std::vector<int64_t>>(&ITest::reverseLongs, {1, -2, 3});
	reverses<std::vector<float>>(&ITest::reverseFloats, {1.5F, -2});
	reverses<std::vector<double>>(&ITest::reverseDoubles, {1.5, -2});
	reverses<strings>(&ITest::reverseStrings, {"a", "", "ccc"});
	reverses<strings>(&ITest::reverseUtf8s, {"a", "", "ccc"});
}

/* As reverses(), and null stays null. */
template <typename V>
static void maybe_reverses(
	ScopedAStatus (ITest::*method)(const std::optional<V> &,
				       std::optional<V> *),
	const V &v)
{
	std::optional<V> back;

	CHECK_OK((test().*method)(v, &back));
	CHECK(back == V(v.rbegin(), v.rend()));
	CHECK_OK((test().*method)(V(), &back));
	CHECK(back && back->empty());
	CHECK_OK((test().*method)(std::nullopt, &back));
	CHECK(!back);
}

static void nullable_arrays()
{
	maybe_reverses<std::vector<bool>>(&ITest::reverseMaybeBooleans,
					  {true, false, false});
	maybe_reverses<std::vector<int8_t>>(&ITest::reverseMaybeBytes,
					    {1, -2, 3, 4, 5});
	maybe_reverses<std::vector<char16_t>>(&ITest::reverseMaybeChars,
					      {u'a', 0xffff});
	maybe_reverses<std::vector<int32_t>>(&ITest::reverseMaybeInts, {1, 2});
	maybe_reverses<std::vector<int64_t>>(&ITest::reverseMaybeLongs,
					     {1, 1LL << 40});
	maybe_reverses<std::vector<float>>(&ITest::reverseMaybeFloats,
					   {1.5F, -2});
	maybe_reverses<std::vector<double>>(&ITest::reverseMaybeDoubles,
					    {1.5, -2});
	maybe_reverses<maybe_strings>(&ITest::reverseMaybeStrings,
				      {"a", std::nullopt});
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return a != b && fstat(a, &x) == 0 && fstat(b, &y) == 0 &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static ScopedFileDescriptor file()
{
	return ScopedFileDescriptor(memfd_create("file", MFD_CLOEXEC));
}

static Point point(int32_t x, const std::optional<std::string> &name)
{
	Point p;

	p.x = x;
	p.y = -x;
	p.name = name;
	return p;
}

static bool same_point(const Point &a, const Point &b)
{
	return a.x == b.x && a.y == b.y && a.name == b.name;
}

static Everything everything()
{
	Everything v;

	v.maybeText = "maybe";
	v.letter = u'l';
	v.large = 1LL << 40;
	v.bytes = {1, 2, 3};
	v.flags = {true, false};
	v.letters = {u'a', 0xffff};
	v.larges = {1LL << 40, -1};
	v.narrows = {0.5F};
	v.wides = {1e300, -0.1};
	v.maybeBytes = {{4, 5}};
	v.maybeTexts = {{"some", std::nullopt}};
	v.point = point(1, "first");
	v.points = {point(2, std::nullopt), point(3, "third")};
	v.callback = ndk::SharedRefBase::make<Callback>();
	v.object = ndk::SharedRefBase::make<Callback>()->asBinder();
	return v;
}

static void parcelable_of_all_types()
{
	Everything v = everything();
	Everything back;

	CHECK_OK(test().repeatEverything(v, &back));
	CHECK(back.maybeText == v.maybeText && back.letter == u'l');
	CHECK(back.large == v.large && back.bytes == v.bytes);
	CHECK(back.flags == v.flags && back.letters == v.letters);
	CHECK(back.larges == v.larges && back.narrows == v.narrows);
	CHECK(back.wides == v.wides && back.maybeBytes == v.maybeBytes);
	CHECK(back.maybeTexts == v.maybeTexts && !back.maybeInts);
	CHECK(same_point(back.point, v.point) && back.points.size() == 2);
	CHECK(same_point(back.points[1], v.points[1]));
	CHECK(back.callback == v.callback && back.object == v.object);
	CHECK(!back.maybeObject.get());
	/* what is in the file */
	CHECK(back.number == 7 && back.text == "text" && back.utf8 == "utf8");
	CHECK(back.flag && back.wide == 0.5 && back.narrow == 0.25F);
	CHECK(back.small == 3 && back.ints == (std::vector<int32_t>{1, 2}));
	CHECK(back.texts == (strings{"one", "two"}));
	CHECK(Everything().large == 50000 && Everything().letter == u'd');
}

static void parcelables_in_arrays()
{
	const std::vector<Point> v = {point(1, std::nullopt),
				      point(3, "second")};
	std::vector<Point> back;

	CHECK_OK(test().reversePoints(v, &back));
	CHECK(back.size() == 2 && same_point(back[0], v[1]) &&
	      same_point(back[1], v[0]));
}

static void out_arrays()
{
	std::vector<bool> booleans(2);
	std::vector<int8_t> bytes(3);
	std::vector<char16_t> chars(1);
	std::vector<int64_t> longs(2);
	std::vector<float> floats(2);
	std::vector<double> doubles;
	strings texts(2);
	std::vector<Point> points(2);

	CHECK_OK(test().fill(&booleans, &bytes, &chars, &longs, &floats,
			     &doubles, &texts, &points));
	CHECK(booleans == (std::vector<bool>{true, false}));
	CHECK(bytes == (std::vector<int8_t>{1, 2, 3}));
	CHECK(chars == (std::vector<char16_t>{1}));
	CHECK(longs == (std::vector<int64_t>{1, 2}));
	CHECK(floats == (std::vector<float>{1, 2}) && doubles.empty());
	CHECK(texts == (strings{"1", "2"}) && points.size() == 2 &&
	      points[1].x == 2);
	CHECK_OK(test().turn(&booleans, &bytes, &chars, &longs, &floats,
			     &doubles, &texts, &points));
	CHECK(booleans == (std::vector<bool>{false, true}));
	CHECK(bytes == (std::vector<int8_t>{3, 2, 1}) && chars.size() == 1);
	CHECK(longs == (std::vector<int64_t>{2, 1}));
	CHECK(floats == (std::vector<float>{2, 1}) && doubles.empty());
	CHECK(texts == (strings{"2", "1"}) && points[1].x == 1);
}

static void directions_of_arguments()
{
	Point given, both, filled, sum;
	std::vector<int32_t> both_ints = {5, 6};
	std::vector<int32_t> filled_ints(3);

	given.x = given.y = 10;
	both.x = both.y = 1;
	filled.x = filled.y = 99;
	CHECK_OK(test().directions(given, &both, &filled, &both_ints,
				   &filled_ints, &sum));
	CHECK(sum.x == 11 && sum.y == 11 && both.x == 2 && both.y == 2);
	CHECK(filled.x == 1 && filled.y == 2);
	CHECK(both_ints == (std::vector<int32_t>{10, 12}));
	CHECK(filled_ints == (std::vector<int32_t>{1, 2, 3}));
}

/* Where they cannot travel, the call says so, and the session lives on. */
static void refused_descriptors()
{
	ScopedFileDescriptor out = file();
	ScopedFileDescriptor back;
	int32_t n = 0;
	Files files;

	files.file = file();
	CHECK(test().repeatFile(out, &back).getStatus() ==
	      STATUS_FDS_NOT_ALLOWED);
	CHECK(back.get() == -1);
	CHECK(test().repeatFiles(files, &files).getStatus() ==
	      STATUS_FDS_NOT_ALLOWED);
	CHECK_OK(test().repeatInt(5, &n));
	CHECK(n == 5);
}

static void file_descriptors()
{
	ScopedFileDescriptor none;
	ScopedFileDescriptor out = file();
	ScopedFileDescriptor back;
	Files files, files_back;

	CHECK_OK(test().repeatMaybeFile(none, &back));
	CHECK(back.get() == -1);
	CHECK(test().repeatFile(none, &back).getStatus() ==
	      STATUS_UNEXPECTED_NULL);
	if (!peer->takes_files())
		return refused_descriptors();
	CHECK_OK(test().repeatFile(out, &back));
	CHECK(same_file(back.get(), out.get()));
	files.file = std::move(out);
	CHECK_OK(test().repeatFiles(files, &files_back));
	CHECK(same_file(files_back.file.get(), files.file.get()));
	CHECK(files_back.maybeFile.get() == -1 && files_back.name == "files");
}

static void objects()
{
	SpAIBinder mine = ndk::SharedRefBase::make<Callback>()->asBinder();
	SpAIBinder back;

	CHECK_OK(test().repeatObject(mine, &back));
	CHECK(back == mine);
	CHECK_OK(test().repeatMaybeObject(nullptr, &back));
	CHECK(!back.get());
	CHECK(test().repeatObject(nullptr, &back).getStatus() ==
	      STATUS_UNEXPECTED_NULL);
	/* the service's own object comes back to it as itself */
	CHECK_OK(test().repeatObject(test().asBinder(), &back));
	CHECK(back == test().asBinder());
}

static void callbacks()
{
	auto callback = ndk::SharedRefBase::make<Callback>();
	std::shared_ptr<ICallback> back;
	int32_t result = 0;

	CHECK_OK(test().callBack(callback, 41, &result));
	CHECK(result == 42 && callback->last == 41);
	CHECK_OK(test().callLater(callback, "later"));
	CHECK_OK(test().setCallback(callback));
	CHECK_OK(test().getCallback(&back));
	CHECK(back.get() == callback.get());
	CHECK_OK(test().setCallback(nullptr));
	CHECK_OK(test().getCallback(&back));
	CHECK(!back);
	CHECK(callback->wait_for("later"));
}

static void listeners()
{
	auto listener = ndk::SharedRefBase::make<Listener>();

	CHECK_OK(test().tell(listener, "news"));
	CHECK(listener->wait_for("news"));
}

static void exceptions()
{
	static const binder_exception_t all[] = {EX_SECURITY,
						 EX_BAD_PARCELABLE,
						 EX_ILLEGAL_ARGUMENT,
						 EX_NULL_POINTER,
						 EX_ILLEGAL_STATE,
						 EX_NETWORK_MAIN_THREAD,
						 EX_UNSUPPORTED_OPERATION};

	for (binder_exception_t each : all) {
		ScopedAStatus status = test().fail(each, 0, "because");

		CHECK(status.getExceptionCode() == each);
		CHECK(std::strcmp(status.getMessage(), "because") == 0);
	}
	ScopedAStatus status = test().fail(EX_SERVICE_SPECIFIC, 77, "own");

	CHECK(status.getServiceSpecificError() == 77);
	CHECK(status.getDescription() ==
	      "Status(-8, EX_SERVICE_SPECIFIC): '77: own'");
	status = test().failWithStatus(STATUS_PERMISSION_DENIED);
	CHECK(status.getExceptionCode() == EX_TRANSACTION_FAILED);
	CHECK(status.getStatus() == STATUS_PERMISSION_DENIED);
}

static void oneway()
{
	strings want, got;

	for (int i = 0; i < 20; i++) {
		want.push_back(std::to_string(i));
		CHECK_OK(test().fire(want.back()));
	}
	/* a call on the same connection comes behind them */
	CHECK_OK(test().fired(&got));
	CHECK(got == want);
}

static void unknown_method()
{
	ndk::ScopedAParcel in, out;
	AIBinder *binder = test().asBinder().get();

	CHECK(AIBinder_prepareTransaction(binder, in.getR()) == STATUS_OK);
	CHECK(AIBinder_transact(binder, 1000, in.getR(), out.getR(), 0) ==
	      STATUS_UNKNOWN_TRANSACTION);
	CHECK(!in.get() && !out.get());
}

/* A name that is not the interface's is refused before the method is. */
static void wrong_interface()
{
	ndk::ScopedAParcel in, out;
	AIBinder *binder = test().asBinder().get();

	CHECK(ICallback::fromBinder(test().asBinder()) == nullptr);
	CHECK(AIBinder_prepareTransaction(binder, in.getR()) == STATUS_OK);
	CHECK(AParcel_reset(in.get()) == STATUS_OK);
	CHECK(AIBinder_transact(binder, FIRST_CALL_TRANSACTION, in.getR(),
				out.getR(), 0) != STATUS_OK);
}

static void constants()
{
	CHECK(ITest::LIMIT == 3);
	CHECK(std::strcmp(ITest::NAME, "everything") == 0);
	CHECK(std::strcmp(ITest::descriptor, "com.example.ITest") == 0);
}

/* Of the interface, which its compiler was told. */
static void interface_version()
{
	int32_t version = 0;

	CHECK(ITest::version == 3);
	CHECK_OK(test().getInterfaceVersion(&version));
	CHECK(version == 3);
}

static int serve(const char *path)
{
	ARpcServer *server = Peer::serve(path);
	char end;

	if (!server)
		return 1;
	std::printf("serving\n");
	std::fflush(stdout);
	while (read(STDIN_FILENO, &end, 1) > 0)
		;
	ARpcServer_free(server);
	return 0;
}

int main(int argc, char **argv)
{
	static const checks::test tests[] = {
		{"scalars", scalars},
		{"text", text},
		{"arrays", arrays},
		{"nullable_arrays", nullable_arrays},
		{"parcelable_of_all_types", parcelable_of_all_types},
		{"parcelables_in_arrays", parcelables_in_arrays},
		{"out_arrays", out_arrays},
		{"directions_of_arguments", directions_of_arguments},
		{"file_descriptors", file_descriptors},
		{"objects", objects},
		{"callbacks", callbacks},
		{"listeners", listeners},
		{"exceptions", exceptions},
		{"oneway", oneway},
		{"unknown_method", unknown_method},
		{"wrong_interface", wrong_interface},
		{"constants", constants},
		{"interface_version", interface_version},
	};
	std::unique_ptr<Peer> owner;
	int code;

	if (argc == 3 && std::strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	owner = Peer::make(argc > 1 ? argv[1] : "local");
	if (!owner)
		return 1;
	peer = owner.get();
	code = checks::run(tests, argc - 1, argv + 1);
	peer = nullptr;
	return code | !owner->end();
}
