/* Where the service of a test lives. */
#pragma once

#include <memory>
#include <string>

#include <android/binder_rpc_unstable.hpp>

#include "test_service.h"

class Peer
{
      public:
	virtual ~Peer() = default;

	/** A proxy of the service, in any case. */
	virtual ITest &test() = 0;
	/** Let everything go. False: something is left, and was said. */
	virtual bool end() = 0;
	/** Whether file descriptors get there. */
	virtual bool takes_files() const
	{
		return true;
	}

	/** @where: "local", "session", the path of a socket where somebody
	 * else serves, or a package *.avfpkg whose libaidl.so serves in a VM.
	 * Empty: it failed, and was said. */
	static std::unique_ptr<Peer> make(const std::string &where);

	/** Serve a TestService at @path. NULL: it failed, and was said. */
	static ARpcServer *serve(const std::string &path);

      private:
	static std::unique_ptr<Peer> make_vm(const std::string &package);
};
