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
}

static void nullable_arrays()
{
	std::optional<std::vector<int32_t>> ints;
	std::optional<maybe_strings> back;

	CHECK_OK(test().reverseMaybeInts(std::vector<int32_t>{1, 2}, &ints));
	CHECK(ints == (std::vector<int32_t>{2, 1}));
	CHECK_OK(test().reverseMaybeInts(std::nullopt, &ints));
	CHECK(!ints);
	CHECK_OK(test().reverseMaybeStrings(maybe_strings{"a", std::nullopt},
					    &back));
	CHECK(back == (maybe_strings{std::nullopt, "a"}));
	CHECK_OK(test().reverseMaybeStrings(std::nullopt, &back));
	CHECK(!back);
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

static Everything everything()
{
	Everything v;

	v.maybeText = "maybe";
	v.bytes = {1, 2, 3};
	v.flag = true;
	v.letter = u'l';
	v.wide = 0.5;
	v.narrow = 0.25F;
	v.large = 1LL << 40;
	v.small = -1;
	v.ints = {1, 2};
	v.texts = {"one", "two"};
	v.file = file();
	v.object = ndk::SharedRefBase::make<Callback>()->asBinder();
	return v;
}

static void parcelable_of_all_types()
{
	Everything v = everything();
	Everything back;

	if (!peer->takes_files()) {
		CHECK(test().repeatEverything(v, &back).getStatus() ==
		      STATUS_FDS_NOT_ALLOWED);
		return;
	}
	CHECK_OK(test().repeatEverything(v, &back));
	CHECK(back.number == 7 && back.maybeText == v.maybeText);
	CHECK(back.text == "text" && back.bytes == v.bytes);
	CHECK(back.flag && back.letter == u'l' && back.wide == v.wide);
	CHECK(back.narrow == v.narrow && back.large == v.large);
	CHECK(back.small == -1 && back.ints == v.ints);
	CHECK(back.texts == v.texts && !back.maybeInts);
	CHECK(same_file(back.file.get(), v.file.get()));
	CHECK(back.maybeFile.get() == -1 && !back.maybeObject.get());
	CHECK(back.object == v.object);
}

static void parcelables_in_arrays()
{
	std::vector<Point> v(2);
	std::vector<Point> back;

	v[0].x = 1;
	v[0].y = 2;
	v[1].x = 3;
	v[1].y = 4;
	v[1].name = "second";
	CHECK_OK(test().reversePoints(v, &back));
	CHECK(back.size() == 2 && back[0].x == 3 && back[0].y == 4);
	CHECK(back[0].name == "second" && back[1].x == 1 && !back[1].name);
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

static void file_descriptors()
{
	ScopedFileDescriptor none;
	ScopedFileDescriptor out = file();
	ScopedFileDescriptor back;

	if (peer->takes_files()) {
		CHECK_OK(test().repeatFile(out, &back));
		CHECK(same_file(back.get(), out.get()));
	} else {
		CHECK(test().repeatFile(out, &back).getStatus() ==
		      STATUS_FDS_NOT_ALLOWED);
	}
	CHECK_OK(test().repeatMaybeFile(none, &back));
	CHECK(back.get() == -1);
	CHECK(test().repeatFile(none, &back).getStatus() ==
	      STATUS_UNEXPECTED_NULL);
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
	CHECK_OK(test().setCallback(callback));
	CHECK_OK(test().getCallback(&back));
	CHECK(back.get() == callback.get());
	CHECK_OK(test().setCallback(nullptr));
	CHECK_OK(test().getCallback(&back));
	CHECK(!back);
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
		{"directions_of_arguments", directions_of_arguments},
		{"file_descriptors", file_descriptors},
		{"objects", objects},
		{"callbacks", callbacks},
		{"exceptions", exceptions},
		{"oneway", oneway},
		{"unknown_method", unknown_method},
		{"wrong_interface", wrong_interface},
		{"constants", constants},
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
