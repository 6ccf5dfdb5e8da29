/*
 * The C++ helpers themselves: bytes of every type (RPC parcels, little
 * endian), both dialects of parcelables, what a hostile peer may send, and who
 * keeps whom alive. Code of later compilers is not in Debian: Modern, Union
 * and Colour below stand for what they generate.
 */
#include "checks.h"

#include <android/binder_enums.h>
#include <android/binder_interface_utils.h>
#include <android/binder_parcel_utils.h>
#include <android/binder_to_string.h>
#include <android/trace.h>

#include <aidl/com/example/BnCallback.h>
#include <aidl/com/example/Point.h>

#include <fcntl.h>
#include <sys/stat.h>

using aidl::com::example::BnCallback;
using aidl::com::example::ICallback;
using aidl::com::example::Point;
using ndk::AParcel_readData;
using ndk::AParcel_readNullableData;
using ndk::AParcel_writeData;
using ndk::AParcel_writeNullableData;
using ndk::ScopedAParcel;
using ndk::ScopedFileDescriptor;
using ndk::SpAIBinder;

enum class Colour : int32_t { RED = 1, GREEN = 2, BLUE = 4 };
enum class Small : int8_t { A = -1, B = 5 };

template <>
constexpr inline std::array<Colour, 3> ndk::internal::enum_values<Colour> = {
	Colour::RED, Colour::GREEN, Colour::BLUE};

static std::string toString(Colour colour)
{
	return colour == Colour::RED ? "RED" : "other";
}

/* A union as later compilers write it: its tag and the field. */
struct Union {
	using fixed_size = std::false_type;
	int32_t value = 3;

	binder_status_t writeToParcel(AParcel *parcel) const
	{
		binder_status_t status = AParcel_writeInt32(parcel, 0);

		return status != STATUS_OK ? status
					   : AParcel_writeData(parcel, value);
	}
	binder_status_t readFromParcel(const AParcel *parcel)
	{
		int32_t tag = -1;
		binder_status_t status = AParcel_readInt32(parcel, &tag);

		if (status != STATUS_OK)
			return status;
		return tag != 0 ? STATUS_BAD_VALUE
				: AParcel_readData(parcel, &value);
	}
};

/* A structured parcelable as later compilers write it. */
struct Modern {
	using fixed_size = std::false_type;
	static constexpr const char *descriptor = "com.example.Modern";

	int32_t a = 1;
	std::string s = "x";
	std::vector<uint8_t> b;
	bool z = false;
	char16_t c = 0;
	double d = 0;
	std::optional<std::vector<std::optional<Modern>>> ch;
	ndk::AParcelableHolder h{ndk::STABILITY_LOCAL};
	std::optional<std::string> ns;
	std::vector<int32_t> ia = {1, 2};

	binder_status_t writeToParcel(AParcel *parcel) const
	{
		int32_t start = AParcel_getDataPosition(parcel);
		int32_t end;
		bool ok = AParcel_writeInt32(parcel, 0) == STATUS_OK &&
			  AParcel_writeData(parcel, a) == STATUS_OK &&
			  AParcel_writeData(parcel, s) == STATUS_OK &&
			  AParcel_writeData(parcel, b) == STATUS_OK &&
			  AParcel_writeData(parcel, z) == STATUS_OK &&
			  AParcel_writeData(parcel, c) == STATUS_OK &&
			  AParcel_writeData(parcel, d) == STATUS_OK &&
			  AParcel_writeNullableData(parcel, ch) == STATUS_OK &&
			  AParcel_writeData(parcel, h) == STATUS_OK &&
			  AParcel_writeNullableData(parcel, ns) == STATUS_OK &&
			  AParcel_writeData(parcel, ia) == STATUS_OK;

		if (!ok)
			return STATUS_BAD_VALUE;
		end = AParcel_getDataPosition(parcel);
		AParcel_setDataPosition(parcel, start);
		AParcel_writeInt32(parcel, end - start);
		return AParcel_setDataPosition(parcel, end);
	}
	binder_status_t readFromParcel(const AParcel *parcel)
	{
		int32_t start = AParcel_getDataPosition(parcel);
		int32_t size = 0;
		bool ok = AParcel_readInt32(parcel, &size) == STATUS_OK &&
			  AParcel_readData(parcel, &a) == STATUS_OK &&
			  AParcel_readData(parcel, &s) == STATUS_OK &&
			  AParcel_readData(parcel, &b) == STATUS_OK &&
			  AParcel_readData(parcel, &z) == STATUS_OK &&
			  AParcel_readData(parcel, &c) == STATUS_OK &&
			  AParcel_readData(parcel, &d) == STATUS_OK &&
			  AParcel_readNullableData(parcel, &ch) == STATUS_OK &&
			  AParcel_readData(parcel, &h) == STATUS_OK &&
			  AParcel_readNullableData(parcel, &ns) == STATUS_OK &&
			  AParcel_readData(parcel, &ia) == STATUS_OK;

		return ok ? AParcel_setDataPosition(parcel, start + size)
			  : STATUS_BAD_VALUE;
	}
};

/* ---- parcels as bytes ------------------------------------------------------
 */

static std::string bytes(const ScopedAParcel &parcel)
{
	std::vector<uint8_t> raw(
		static_cast<size_t>(AParcel_getDataSize(parcel.get())));
	std::string text;

	if (AParcel_marshal(parcel.get(), raw.data(), 0, raw.size()) !=
	    STATUS_OK)
		return "not plain data";
	for (size_t i = 0; i < raw.size(); i++) {
		char hex[4];

		std::snprintf(hex, sizeof(hex), "%s%02x",
			      i > 0 && i % 4 == 0 ? " " : "", raw[i]);
		text += hex;
	}
	return text;
}

static void put(const ScopedAParcel &parcel, const std::vector<int32_t> &words)
{
	for (int32_t word : words)
		CHECK(AParcel_writeInt32(parcel.get(), word) == STATUS_OK);
	CHECK(AParcel_setDataPosition(parcel.get(), 0) == STATUS_OK);
}

/* @value is written as @want, and read back as what writes the same. */
template <bool Nullable = false, typename T>
static void travels(const T &value, const char *want)
{
	ScopedAParcel parcel(AParcel_create());
	ScopedAParcel again(AParcel_create());
	T back{};

	CHECK((ndk::internal::write_value<Nullable>(parcel.get(), value)) ==
	      STATUS_OK);
	if (bytes(parcel) != want)
		checks::fail(__FILE__, __LINE__,
			     (bytes(parcel) + ", not " + want).c_str());
	CHECK(AParcel_setDataPosition(parcel.get(), 0) == STATUS_OK);
	CHECK((ndk::internal::read_value<Nullable>(parcel.get(), &back)) ==
	      STATUS_OK);
	CHECK(AParcel_getDataPosition(parcel.get()) ==
	      AParcel_getDataSize(parcel.get()));
	CHECK((ndk::internal::write_value<Nullable>(again.get(), back)) ==
	      STATUS_OK);
	CHECK(bytes(again) == bytes(parcel));
}

/* @words, read as a @T, give @want. */
template <typename T, bool Nullable = false>
static void refused(const std::vector<int32_t> &words, binder_status_t want)
{
	ScopedAParcel parcel(AParcel_create());
	binder_status_t got;
	T back{};

	put(parcel, words);
	got = ndk::internal::read_value<Nullable>(parcel.get(), &back);
	if (got != want)
		std::printf("status %d, not %d\n", got, want);
	CHECK(got == want);
}

static void values()
{
	travels(true, "01000000");
	travels(int8_t{-128}, "80ffffff");
	travels(char16_t{0xffff}, "ffff0000");
	travels(Colour::BLUE, "04000000");
	travels(Small::A, "ffffffff");
	travels(std::string("x"), "01000000 78000000");
	travels(std::optional<std::string>(), "ffffffff");
	travels(std::vector<uint8_t>{1, 2, 3, 4, 5},
		"05000000 01020304 05000000");
	travels(std::vector<bool>{true, false}, "02000000 01000000 00000000");
	travels(std::vector<Small>{Small::A, Small::B}, "02000000 ff050000");
	travels(std::vector<Colour>{Colour::RED}, "01000000 01000000");
	travels(std::optional<std::vector<int32_t>>(), "ffffffff");
}

static void fixed_arrays()
{
	using row = std::array<int32_t, 2>;

	travels(row{1, 2}, "02000000 01000000 02000000");
	travels(std::array<row, 2>{row{1, 2}, row{3, 4}},
		"02000000 02000000 01000000 02000000 02000000 03000000 "
		"04000000");
	travels(std::array<bool, 1>{true}, "01000000 01000000");
	travels(std::array<std::string, 1>{"x"}, "01000000 01000000 78000000");
	travels(std::optional<row>(), "ffffffff");
	travels(std::optional<row>(row{1, 2}), "02000000 01000000 02000000");
	refused<row>({3, 1, 2, 3}, STATUS_BAD_VALUE);
	refused<row>({1, 1}, STATUS_BAD_VALUE);
	refused<row>({-1}, STATUS_UNEXPECTED_NULL);
}

static void parcelables()
{
	travels(Modern(),
		"01000000 44000000 01000000 01000000 78000000 00000000 "
		"00000000 00000000 00000000 00000000 ffffffff 01000000 "
		"00000000 00000000 ffffffff 02000000 01000000 02000000");
	travels(Union(), "01000000 00000000 03000000");
	/* Debian's dialect writes the flag itself: it is there once as well */
	travels(std::vector<Point>(1),
		"01000000 01000000 10000000 00000000 00000000 ffffffff");
	travels(std::optional<Union>(), "00000000");
	travels(std::optional<Union>(Union()), "01000000 00000000 03000000");
	travels(std::unique_ptr<Union>(), "00000000");
	travels(std::make_unique<Union>(), "01000000 00000000 03000000");
	travels(std::vector<std::optional<Union>>(2),
		"02000000 00000000 00000000");
	refused<Union>({0}, STATUS_UNEXPECTED_NULL);
	refused<Union>({1, 9, 3}, STATUS_BAD_VALUE);
}

static void holders()
{
	ScopedAParcel parcel(AParcel_create());
	ndk::AParcelableHolder holder, back, other(ndk::STABILITY_VINTF);
	std::optional<Modern> modern;
	Modern content;

	content.a = 99;
	CHECK(holder.setParcelable(content) == STATUS_OK);
	CHECK(holder.writeToParcel(parcel.get()) == STATUS_OK);
	CHECK(AParcel_writeInt32(parcel.get(), 12345) == STATUS_OK);
	CHECK(AParcel_setDataPosition(parcel.get(), 0) == STATUS_OK);
	CHECK(back.readFromParcel(parcel.get()) == STATUS_OK);
	int32_t behind = 0;
	CHECK(AParcel_readInt32(parcel.get(), &behind) == STATUS_OK);
	CHECK(behind == 12345);
	ndk::AParcelableHolder copy = back;
	back.reset();
	CHECK(back.getParcelable(&modern) == STATUS_OK && !modern);
	CHECK(copy.getParcelable(&modern) == STATUS_OK && modern->a == 99);
	/* more than there is; another stability */
	ScopedAParcel lies(AParcel_create());
	put(lies, {0, 1000, 1});
	CHECK(back.readFromParcel(lies.get()) == STATUS_NOT_ENOUGH_DATA);
	CHECK(AParcel_setDataPosition(lies.get(), 0) == STATUS_OK);
	CHECK(other.readFromParcel(lies.get()) == STATUS_BAD_VALUE);
}

/* Lengths that a peer has sent. */
/* A parcelable with others of its type in it, as Debian's aidl writes it. */
struct Tree {
	static int deepest;
	std::vector<Tree> children;

	binder_status_t writeToParcel(AParcel *) const
	{
		return STATUS_INVALID_OPERATION;
	}
	binder_status_t readFromParcel(const AParcel *parcel)
	{
		int32_t there = 0;
		binder_status_t status = AParcel_readInt32(parcel, &there);

		deepest++;
		return status != STATUS_OK
			       ? status
			       : AParcel_readData(parcel, &children);
	}
};
int Tree::deepest;

/* Who decides how deep they are is the peer; each takes some of the stack. */
static void depths()
{
	static const int most = ndk::AParcel_maxParcelableDepth;
	static const struct {
		int depth;
		binder_status_t status;
	} rows[] = {
		{1, STATUS_OK},
		{most, STATUS_OK},
		{most + 1, STATUS_BAD_VALUE},
		{50000, STATUS_BAD_VALUE},
		{most, STATUS_OK}, /* what failed is forgotten */
	};

	for (const auto &row : rows) {
		ScopedAParcel parcel(AParcel_create());
		std::vector<Tree> trees;

		/* one child each, and none in the last */
		for (int i = 0; i < row.depth; i++) {
			CHECK(AParcel_writeInt32(parcel.get(), 1) == STATUS_OK);
			CHECK(AParcel_writeInt32(parcel.get(), 1) == STATUS_OK);
		}
		CHECK(AParcel_writeInt32(parcel.get(), 0) == STATUS_OK);
		CHECK(AParcel_setDataPosition(parcel.get(), 0) == STATUS_OK);
		Tree::deepest = 0;
		CHECK(AParcel_readData(parcel.get(), &trees) == row.status);
		CHECK(Tree::deepest == std::min(row.depth, most));
	}
}

static void lengths()
{
	static const int32_t most =
		static_cast<int32_t>(ndk::AParcel_maxVectorBytes / 4);
	static const struct {
		int32_t length;
		binder_status_t status;
	} rows[] = {
		{0, STATUS_OK},           {-1, STATUS_UNEXPECTED_NULL},
		{-2, STATUS_BAD_VALUE},   {most - 1, STATUS_OK},
		{most, STATUS_NO_MEMORY}, {INT32_MAX, STATUS_NO_MEMORY},
	};

	for (const auto &row : rows) {
		ScopedAParcel parcel(AParcel_create());
		std::vector<int32_t> out;
		std::optional<std::vector<int32_t>> maybe;

		put(parcel, {row.length});
		CHECK(ndk::AParcel_resizeVector(parcel.get(), &out) ==
		      row.status);
		CHECK(AParcel_setDataPosition(parcel.get(), 0) == STATUS_OK);
		CHECK(ndk::AParcel_resizeVector(parcel.get(), &maybe) ==
		      (row.length == -1 ? STATUS_OK : row.status));
		CHECK(maybe.has_value() == (row.status == STATUS_OK));
	}
	refused<std::vector<int32_t>>({INT32_MAX, 1}, STATUS_NO_MEMORY);
	refused<std::vector<bool>>({INT32_MAX, 1}, STATUS_NO_MEMORY);
	refused<std::vector<std::string>>({INT32_MAX, 1}, STATUS_NO_MEMORY);
	refused<std::vector<Union>>({INT32_MAX, 1}, STATUS_NO_MEMORY);
	refused<std::vector<int32_t>>({-1}, STATUS_UNEXPECTED_NULL);
	refused<std::string>({-1}, STATUS_UNEXPECTED_NULL);
	refused<std::vector<std::string>>({1, -1}, STATUS_UNEXPECTED_NULL);
	refused<std::vector<std::string>>({}, STATUS_NOT_ENOUGH_DATA);
}

/* ---- ownership -------------------------------------------------------------
 */

static int alive;

class Counted : public BnCallback
{
      public:
	Counted()
	{
		alive++;
	}
	~Counted() override
	{
		alive--;
	}
	ndk::ScopedAStatus done(int32_t, int32_t *) override
	{
		return ndk::ScopedAStatus::ok();
	}
	ndk::ScopedAStatus later(const std::string &) override
	{
		return ndk::ScopedAStatus::ok();
	}
};

static void lives_as_long_as_somebody_has_it()
{
	auto object = ndk::SharedRefBase::make<Counted>();
	SpAIBinder binder = object->asBinder();

	CHECK(binder == object->asBinder());
	CHECK(ICallback::fromBinder(binder).get() == object.get());
	object = nullptr;
	CHECK(alive == 1);
	binder = nullptr;
	CHECK(alive == 0);
	/* without an AIBinder, too; and with a second one */
	object = ndk::SharedRefBase::make<Counted>();
	(void)object->asBinder();
	CHECK(alive == 1 && object->asBinder().get());
	object = nullptr;
	CHECK(alive == 0);
}

static void interfaces_in_parcels()
{
	ScopedAParcel parcel(AParcel_create());
	std::shared_ptr<ICallback> object = ndk::SharedRefBase::make<Counted>();
	std::vector<std::shared_ptr<ICallback>> back;
	std::shared_ptr<ICallback> none;

	CHECK(AParcel_writeData(parcel.get(), none) == STATUS_UNEXPECTED_NULL);
	CHECK(AParcel_writeNullableData(parcel.get(),
					std::vector<std::shared_ptr<ICallback>>{
						object, nullptr}) == STATUS_OK);
	CHECK(AParcel_setDataPosition(parcel.get(), 0) == STATUS_OK);
	CHECK(AParcel_readNullableData(parcel.get(), &back) == STATUS_OK);
	CHECK(back.size() == 2 && back[0] == object && !back[1]);
	CHECK(AParcel_setDataPosition(parcel.get(), 0) == STATUS_OK);
	CHECK(AParcel_readData(parcel.get(), &back) == STATUS_UNEXPECTED_NULL);
	back.clear();
	object = nullptr;
	parcel.set(nullptr);
	CHECK(alive == 0);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void owners()
{
	ScopedFileDescriptor a(dup(1));
	int fd = a.get();
	ScopedFileDescriptor b = std::move(a);
	SpAIBinder binder = ndk::SharedRefBase::make<Counted>()->asBinder();
	SpAIBinder other = binder;
	SpAIBinder &same = other;

	CHECK(b.get() == fd && is_open(fd));
	b = ScopedFileDescriptor(dup(1));
	CHECK(!is_open(fd));
	fd = b.release();
	CHECK(is_open(fd) && close(fd) == 0);
	CHECK(AIBinder_debugGetRefCount(binder.get()) == 2);
	other = same;
	CHECK(AIBinder_debugGetRefCount(binder.get()) == 2);
	SpAIBinder moved = std::move(other);
	CHECK(AIBinder_debugGetRefCount(binder.get()) == 2);
	moved = nullptr;
	binder = nullptr;
	CHECK(alive == 0);
}

static void texts()
{
	using android::internal::ToString;
	std::vector<Colour> all;

	for (Colour each : ndk::enum_range<Colour>())
		all.push_back(each);
	CHECK(ToString(all) == "[RED, other, other]");
	CHECK(ToString(true) == "true" && ToString(int8_t{65}) == "65");
	CHECK(ToString(Small::B) == "5" && ToString(u'a') == "97");
	CHECK(ToString(std::optional<std::string>()) == "(null)");
	CHECK(ToString(std::vector<std::optional<std::string>>{"a"}) == "[a]");
	CHECK(ToString(std::array<int32_t, 2>{1, 2}) == "[1, 2]");
	CHECK(ToString(SpAIBinder()) == "(null)");
	CHECK(!ATrace_isEnabled());
}

int main(int argc, char **argv)
{
	static const checks::test tests[] = {
		{"values", values},
		{"fixed_arrays", fixed_arrays},
		{"parcelables", parcelables},
		{"holders", holders},
		{"depths", depths},
		{"lengths", lengths},
		{"lives_as_long_as_somebody_has_it",
		 lives_as_long_as_somebody_has_it},
		{"interfaces_in_parcels", interfaces_in_parcels},
		{"owners", owners},
		{"texts", texts},
	};

	return checks::run(tests, argc, argv);
}
