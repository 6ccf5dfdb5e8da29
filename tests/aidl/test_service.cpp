#include "test_service.h"

#include <chrono>

static constexpr std::chrono::seconds PATIENCE(60);

ScopedAStatus Callback::done(int32_t code, int32_t *_return)
{
	last = code;
	*_return = code + 1;
	return ScopedAStatus::ok();
}

ScopedAStatus Callback::later(const std::string &text)
{
	std::lock_guard<std::mutex> guard(mutex_);

	text_ = text;
	changed_.notify_all();
	return ScopedAStatus::ok();
}

bool Callback::wait_for(const std::string &text)
{
	std::unique_lock<std::mutex> guard(mutex_);

	return changed_.wait_for(guard, PATIENCE,
				 [&] { return text_ == text; });
}

/* Descriptors are duplicated: who gives one keeps it. */
ScopedAStatus TestService::repeatFiles(const Files &v, Files *r)
{
	r->name = v.name;
	r->file = v.file.dup();
	if (v.maybeFile.get() >= 0)
		r->maybeFile = v.maybeFile.dup();
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::fill(
	std::vector<bool> *booleans, std::vector<int8_t> *bytes,
	std::vector<char16_t> *chars, std::vector<int64_t> *longs,
	std::vector<float> *floats, std::vector<double> *doubles,
	std::vector<std::string> *texts, std::vector<Point> *points)
{
	for (size_t i = 0; i < booleans->size(); i++)
		(*booleans)[i] = i % 2 == 0;
	count_up(bytes);
	count_up(chars);
	count_up(longs);
	count_up(floats);
	count_up(doubles);
	for (size_t i = 0; i < texts->size(); i++)
		(*texts)[i] = std::to_string(i + 1);
	for (size_t i = 0; i < points->size(); i++)
		(*points)[i].x = static_cast<int32_t>(i + 1);
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::turn(
	std::vector<bool> *booleans, std::vector<int8_t> *bytes,
	std::vector<char16_t> *chars, std::vector<int64_t> *longs,
	std::vector<float> *floats, std::vector<double> *doubles,
	std::vector<std::string> *texts, std::vector<Point> *points)
{
	turn_around(booleans);
	turn_around(bytes);
	turn_around(chars);
	turn_around(longs);
	turn_around(floats);
	turn_around(doubles);
	turn_around(texts);
	turn_around(points);
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
