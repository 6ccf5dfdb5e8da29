#include "peer.h"

#include <cstdio>

using aidl::com::example::BpTest;

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

}

std::unique_ptr<Peer> Peer::make(const std::string &where)
{
	if (where == "local")
		return std::make_unique<LocalPeer>();
	std::fprintf(stderr, "usage: test_aidl local|session [TEST]\n");
	return nullptr;
}
