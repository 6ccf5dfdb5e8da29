#include "peer.h"

#include <android/binder_rpc_unstable.hpp>

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

using aidl::com::example::BpTest;

/* Calls; each takes some ten microseconds. */
static constexpr int PATIENCE = 100000;

namespace
{

/* Through parcels, but within the process. */
class LocalPeer : public Peer
{
      public:
	ITest &test() override
	{
		return *proxy_;
	}
	bool end() override
	{
		return true;
	}

      private:
	std::shared_ptr<TestService> service_ =
		ndk::SharedRefBase::make<TestService>();
	std::shared_ptr<BpTest> proxy_ =
		ndk::SharedRefBase::make<BpTest>(service_->asBinder());
};

/* A client of whoever listens at a path. */
class ConnectedPeer : public Peer
{
      public:
	~ConnectedPeer() override
	{
		ARpcSession_free(session_);
	}

	bool connect(const std::string &path)
	{
		ndk::SpAIBinder root;

		ARpcSession_setFileDescriptorTransportMode(
			session_,
			ARpcSession_FileDescriptorTransportMode::Unix);
		ARpcSession_setMaxIncomingThreads(session_, 1);
		root.set(ARpcSession_setupUnixDomainClient(session_,
							   path.c_str()));
		proxy_ = ITest::fromBinder(root);
		if (!proxy_)
			std::fprintf(stderr, "cannot connect to %s: %d\n",
				     path.c_str(),
				     AvfRpcSession_getError(session_));
		return proxy_ != nullptr;
	}
	ITest &test() override
	{
		return *proxy_;
	}
	/* a peer with a garbage collector lets go when it likes */
	bool end() override
	{
		proxy_ = nullptr;
		return true;
	}

      protected:
	/* But for the root, nobody has anything of the other. What the peer
	 * lets go of is said on another connection than answers: wait. */
	bool all_given_back()
	{
		size_t left = 0;

		for (int i = 0; i < PATIENCE && left != 1; i++) {
			(void)AIBinder_ping(proxy_->asBinder().get());
			left = AvfRpcSession_countObjects(session_);
		}
		if (left != 1)
			std::fprintf(stderr, "%zu objects left, not the root\n",
				     left);
		return left == 1;
	}

      private:
	ARpcSession *session_ = ARpcSession_new();
	std::shared_ptr<ITest> proxy_;
};

/* A service at a path, and a client of it, both of this process. */
class SessionPeer : public ConnectedPeer
{
      public:
	~SessionPeer() override
	{
		ARpcServer_free(server_);
		(void)unlink((dir_ + "/socket").c_str());
		(void)rmdir(dir_.c_str());
	}

	bool start()
	{
		char dir[] = "/tmp/avf-aidl-XXXXXX";

		if (!mkdtemp(dir))
			return false;
		dir_ = dir;
		server_ = Peer::serve(dir_ + "/socket");
		return server_ && connect(dir_ + "/socket");
	}
	bool end() override
	{
		return all_given_back() && ConnectedPeer::end();
	}

      private:
	std::string dir_;
	ARpcServer *server_ = nullptr;
};

}

ARpcServer *Peer::serve(const std::string &path)
{
	static const ARpcSession_FileDescriptorTransportMode modes[] = {
		ARpcSession_FileDescriptorTransportMode::None,
		ARpcSession_FileDescriptorTransportMode::Unix};
	auto service = ndk::SharedRefBase::make<TestService>();
	ARpcServer *server = AvfRpcServer_newUnixDomain(
		service->asBinder().get(), path.c_str());

	if (!server) {
		std::perror(path.c_str());
		return nullptr;
	}
	ARpcServer_setSupportedFileDescriptorTransportModes(server, modes, 2);
	ARpcServer_start(server);
	return server;
}

std::unique_ptr<Peer> Peer::make(const std::string &where)
{
	auto connected = std::make_unique<ConnectedPeer>();
	auto session = std::make_unique<SessionPeer>();

	if (where.find(".avfpkg") != std::string::npos)
		return make_vm(where);
	if (where == "local")
		return std::make_unique<LocalPeer>();
	if (where == "session")
		return session->start() ? std::move(session) : nullptr;
	if (connected->connect(where))
		return connected;
	return nullptr;
}
