/*
 * What a payload package says about itself before anybody mounts it. The UUID
 * in the superblock of its EROFS image is not needed to tell packages apart, so
 * ours names the architectures that the package has libraries for: "avfpkg",
 * nine zero bytes, and one with a bit per enum avf_architecture. A package
 * whose UUID is another says nothing, and the guest finds out.
 */
#pragma once

#include <stdint.h>

/** Where the 16 bytes are in an image (struct erofs_super_block, at 1024). */
#define PACKAGE_MARK_OFFSET (1024U + 48U)
#define PACKAGE_MARK_SIZE   16U
/** Room for it as text, NUL included. */
#define PACKAGE_MARK_TEXT 37U

/** The mark of a package with the architectures @mask (BIT(architecture)), as
 * mkfs.erofs takes it. */
void package_mark_make(uint32_t mask, char ret_text[PACKAGE_MARK_TEXT]);

/** The mask in a mark; 0: it is not one of ours. */
uint32_t package_mark_read(const unsigned char mark[PACKAGE_MARK_SIZE]);
