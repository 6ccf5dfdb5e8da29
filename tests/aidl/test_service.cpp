#include "test_service.h"

Everything copy(const Everything &in)
{
	Everything out;

	out.number = in.number;
	out.maybeText = in.maybeText;
	out.text = in.text;
	out.bytes = in.bytes;
	out.flag = in.flag;
	out.letter = in.letter;
	out.wide = in.wide;
	out.narrow = in.narrow;
	out.large = in.large;
	out.small = in.small;
	out.ints = in.ints;
	out.texts = in.texts;
	out.maybeInts = in.maybeInts;
	out.file = in.file.dup();
	if (in.maybeFile.get() >= 0)
		out.maybeFile = in.maybeFile.dup();
	out.object = in.object;
	out.maybeObject = in.maybeObject;
	return out;
}

ScopedAStatus Callback::done(int32_t code, int32_t *_return)
{
	last = code;
	*_return = code + 1;
	return ScopedAStatus::ok();
}

ScopedAStatus Callback::later(const std::string &text)
{
	last = static_cast<int32_t>(text.size());
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::repeatEverything(const Everything &v, Everything *r)
{
	*r = copy(v);
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::directions(const Point &given, Point *both,
				      Point *filled,
				      std::vector<int32_t> *both_ints,
				      std::vector<int32_t> *filled_ints,
				      Point *r)
{
	int32_t count = 0;

	r->x = given.x + both->x;
	r->y = given.y + both->y;
	r->name = given.name;
	both->x *= 2;
	both->y *= 2;
	filled->x = 1;
	filled->y = 2;
	for (int32_t &each : *both_ints)
		each *= 2;
	for (int32_t &each : *filled_ints)
		each = ++count;
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::setCallback(const std::shared_ptr<ICallback> &v)
{
	std::lock_guard<std::mutex> guard(mutex_);

	callback_ = v;
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::getCallback(std::shared_ptr<ICallback> *r)
{
	std::lock_guard<std::mutex> guard(mutex_);

	*r = callback_;
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::fail(int32_t exception, int32_t error,
				const std::string &text)
{
	return exception == EX_SERVICE_SPECIFIC
		       ? ScopedAStatus::fromServiceSpecificErrorWithMessage(
				 error, text.c_str())
		       : ScopedAStatus::fromExceptionCodeWithMessage(
				 exception, text.c_str());
}

ScopedAStatus TestService::fire(const std::string &text)
{
	std::lock_guard<std::mutex> guard(mutex_);

	fired_.push_back(text);
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::fired(std::vector<std::string> *r)
{
	std::lock_guard<std::mutex> guard(mutex_);

	*r = fired_;
	return ScopedAStatus::ok();
}
