/* See calls_arm64.h: x86-64 has every call of the table by its name. */
#pragma once
