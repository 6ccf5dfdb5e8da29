/**
 * @file image.h
 * Making the microguest image and payload packages.
 *
 * Both write beside their target and move the result into place: on any
 * failure, a full disk included, what was there before stays.
 */
#pragma once

#include <stddef.h>

#include <avf/architecture.h>
#include <avf/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Told about each step of a long operation; @text is borrowed. */
typedef void avf_progress_fn(void *userdata, const char *text);

/** Options of avf_image_build(). Set @c size with the INIT macro. */
struct avf_image_options {
	/** sizeof(struct avf_image_options) of the caller's header. */
	size_t size;
	/** Directory to create or replace. NULL: the user's default for this
	 * architecture. */
	const char *output;
	/** Debian kernel package (.deb) to use. NULL: download the newest
	 * cloud kernel of the architecture that the host's apt sources have.
	 */
	const char *kernel_package;
	/** Called on the calling thread; NULL: none. */
	avf_progress_fn *progress;
	/** Given to @c progress. */
	void *userdata;
	/** What the guest is for. */
	enum avf_architecture architecture;
	/** Directory with our guest programs for it (init, launcher,
	 * libvm_payload.so). NULL: where they are installed, in
	 * libexec/libvirtualization/guest, or guest-<architecture> for
	 * another one than the library's. */
	const char *guest_dir;
	/** Kernel to use instead of a package's: a bzImage or an arm64 Image
	 * that has all that the guest needs built in, as guest/kernel/ makes
	 * it. NULL: a package's. */
	const char *kernel;
};
#define AVF_IMAGE_OPTIONS_INIT                                            \
	{                                                                 \
		sizeof(struct avf_image_options), NULL, NULL, NULL, NULL, \
			AVF_ARCHITECTURE_HOST, NULL, NULL                 \
	}

/**
 * Build the microguest: kernel (unpacked) and initramfs. Without a kernel
 * given it needs dpkg-deb, without a package apt-get; for another architecture
 * than the host's a C library of it (Debian: libc6-arm64-cross and its like).
 * @options may be NULL.
 * Errors: AVF_ERR_NOT_FOUND (a tool, a package, the C library),
 * AVF_ERR_FORMAT (a kernel or programs of another architecture, too),
 * AVF_ERR_EXISTS (something else is at the output), AVF_ERR_INVALID,
 * AVF_ERR_NO_SPACE, AVF_ERR_IO. Blocks, for seconds.
 */
AVF_EXPORT int avf_image_build(
	const struct avf_image_options *options) AVF_CHECK;

/** Options of avf_package_create(). Set @c size with the INIT macro. */
struct avf_package_options {
	/** sizeof(struct avf_package_options) of the caller's header. */
	size_t size;
	/** File to create or replace. Required. */
	const char *output;
	/** Name of the package, for its manifest. Required. */
	const char *name;
	/** Payload libraries, NULL-terminated; each lands in lib/x86_64/ or
	 * lib/arm64-v8a/, as its ELF header says. A package may have the same
	 * library for both. Required. */
	const char *const *libraries;
	/** Directory whose content lands in assets/. NULL: none. */
	const char *assets;
	/** Programs, NULL-terminated; each lands in bin/ and may be executed
	 * by the payload. NULL: none. */
	const char *const *programs;
};
#define AVF_PACKAGE_OPTIONS_INIT                                            \
	{                                                                   \
		sizeof(struct avf_package_options), NULL, NULL, NULL, NULL, \
			NULL                                                \
	}

/**
 * Make a payload package: an EROFS image with lib/<abi>/, bin/, assets/
 * and manifest.json. Needs mkfs.erofs. Errors: AVF_ERR_INVALID,
 * AVF_ERR_FORMAT (not a 64-bit shared library), AVF_ERR_NOT_FOUND,
 * AVF_ERR_EXISTS (the output is there and no file, a device say),
 * AVF_ERR_NO_SPACE, AVF_ERR_IO. Blocks.
 */
AVF_EXPORT int avf_package_create(
	const struct avf_package_options *options) AVF_CHECK;

#ifdef __cplusplus
}
#endif
