/*
 * What the VMM and the guest's manager say to each other (guest/aidl), as a
 * number: a guest image is made by one build of the library and may be run by
 * another one. It is counted up with each change that one of them would not
 * understand. The image's image.json has it, and the manager tells it when it
 * asks for its orders. 0: the builds before it was counted.
 *
 * guest/aidl of each number, as a hash that scripts/check_protocol.py compares:
 * 1: 0b4cba8255f95e41
 */
#pragma once

#define GUEST_PROTOCOL 1
