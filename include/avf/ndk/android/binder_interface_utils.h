/**
 * @file binder_interface_utils.h
 * C++17 base classes of AIDL interfaces: what generated code derives its
 * IFoo, BnFoo (an object of this process) and BpFoo (one of a peer) from.
 * Source compatible with the NDK's header of this name.
 *
 * Who keeps whom alive: an application holds an implementation by
 * shared_ptr; the implementation knows its AIBinder weakly and makes it when
 * somebody asks for it; the AIBinder holds the implementation. So the object
 * lives as long as the application or any peer has it.
 *
 * Any thread may call anything here. An implementation that derives from BnFoo
 * must be made with SharedRefBase::make().
 */
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include <android/binder_auto_utils.h>
#include <android/binder_ibinder.h>
#include <android/binder_stability.h>

namespace ndk
{

/** An object that is only ever held by shared_ptr, and can give one of
 * itself. */
class SharedRefBase
{
      public:
	SharedRefBase() = default;
	SharedRefBase(const SharedRefBase &) = delete;
	SharedRefBase &operator=(const SharedRefBase &) = delete;
	virtual ~SharedRefBase() = default;

	/** The first call makes the owner, so do not delete the object after
	 * it. Empty while the object is being destroyed. */
	std::shared_ptr<SharedRefBase> ref()
	{
		std::lock_guard<std::mutex> guard(mutex_);
		std::shared_ptr<SharedRefBase> self = self_.lock();

		if (!self && !owned_) {
			self.reset(this);
			self_ = self;
			owned_ = true;
		}
		return self;
	}
	/** As a @Child, which the object must be. */
	template <typename Child> std::shared_ptr<Child> ref()
	{
		return std::static_pointer_cast<Child>(ref());
	}

	template <typename T, typename... Args>
	static std::shared_ptr<T> make(Args &&...args)
	{
		T *object = new T(std::forward<Args>(args)...);

		return object->template ref<T>();
	}

      private:
	std::mutex mutex_; /* guards what follows */
	std::weak_ptr<SharedRefBase> self_;
	bool owned_ = false;
};

/** The root of all interfaces. */
class ICInterface : public SharedRefBase
{
      public:
	/** The object to send to a peer. */
	virtual SpAIBinder asBinder() = 0;
	virtual bool isRemote() = 0;

	/** Describe the object to @fd, which stays the caller's. */
	virtual binder_status_t dump(int fd, const char **args, uint32_t n_args)
	{
		(void)fd;
		(void)args;
		(void)n_args;
		return STATUS_OK;
	}
	/** Serve a command line; the descriptors stay the caller's. */
	virtual binder_status_t handleShellCommand(int in, int out, int err,
						   const char **argv,
						   uint32_t argc)
	{
		(void)in;
		(void)out;
		(void)err;
		(void)argv;
		(void)argc;
		return STATUS_OK;
	}

	/** The implementation behind @binder; empty for an object of a peer.
	 * @binder must be of a class that defineClass() made. */
	static std::shared_ptr<ICInterface> asInterface(AIBinder *binder)
	{
		Held *held = static_cast<Held *>(AIBinder_getUserData(binder));

		return held ? held->interface : nullptr;
	}

	/** The class of objects whose user data is an ICInterface. Once per
	 * interface; never freed. */
	static AIBinder_Class *defineClass(
		const char *descriptor, AIBinder_Class_onTransact on_transact)
	{
		AIBinder_Class *clazz = AIBinder_Class_define(
			descriptor, on_create, on_destroy, on_transact);

		AIBinder_Class_setOnDump(clazz, on_dump);
		AIBinder_Class_setHandleShellCommand(clazz, on_shell_command);
		return clazz;
	}

      private:
	/* the user data of an AIBinder */
	struct Held {
		std::shared_ptr<ICInterface> interface;
	};

	/* @args: the ICInterface, which generated code passes as void * */
	static void *on_create(void *args)
	{
		ICInterface *interface = static_cast<ICInterface *>(args);

		return new Held{interface->ref<ICInterface>()};
	}
	static void on_destroy(void *user_data)
	{
		delete static_cast<Held *>(user_data);
	}
	static binder_status_t on_dump(AIBinder *binder, int fd,
				       const char **args, uint32_t n_args)
	{
		return asInterface(binder)->dump(fd, args, n_args);
	}
	static binder_status_t on_shell_command(AIBinder *binder, int in,
						int out, int err,
						const char **argv,
						uint32_t argc)
	{
		return asInterface(binder)->handleShellCommand(in, out, err,
							       argv, argc);
	}
};

/** An implementation in this process. */
template <typename Interface> class BnCInterface : public Interface
{
      public:
	/** Made when it is asked for, and again when all others let it go. */
	SpAIBinder asBinder() final
	{
		std::lock_guard<std::mutex> guard(mutex_);
		SpAIBinder binder = weak_.promote();

		if (!binder.get()) {
			binder = createBinder();
			weak_.set(AIBinder_Weak_new(binder.get()));
		}
		return binder;
	}
	bool isRemote() final
	{
		return false;
	}

      protected:
	/** Generated: an AIBinder of the interface's class around this. */
	virtual SpAIBinder createBinder() = 0;

      private:
	std::mutex mutex_; /* guards what follows */
	ScopedAIBinder_Weak weak_;
};

/** An object of a peer. */
template <typename Interface> class BpCInterface : public Interface
{
      public:
	explicit BpCInterface(const SpAIBinder &binder) : binder_(binder)
	{
	}

	SpAIBinder asBinder() final
	{
		return binder_;
	}
	bool isRemote() final
	{
		return AIBinder_isRemote(binder_.get());
	}
	binder_status_t dump(int fd, const char **args,
			     uint32_t n_args) override
	{
		return AIBinder_dump(binder_.get(), fd, args, n_args);
	}

      private:
	SpAIBinder binder_; /* never changes */
};

}
