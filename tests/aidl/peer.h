/* Where the service of a test lives. */
#pragma once

#include <memory>
#include <string>

#include "test_service.h"

class Peer
{
      public:
	virtual ~Peer() = default;

	/** A proxy of the service, in any case. */
	virtual ITest &test() = 0;
	/** Let everything go. False: something is left, and was said. */
	virtual bool end() = 0;

	/** @where: "local" or "session". Empty: it failed, and was said. */
	static std::unique_ptr<Peer> make(const std::string &where);
};
