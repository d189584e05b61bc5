# Debian's cross compiler, and an emulator to run what it makes. The libraries that the engine and its
# tests need are where libraries.sh puts them.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(arm_root ${CMAKE_CURRENT_LIST_DIR}/../../build/arm-root)
set(CMAKE_FIND_ROOT_PATH ${arm_root})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-L;/usr/aarch64-linux-gnu;-E;LD_LIBRARY_PATH=${arm_root}/usr/lib/aarch64-linux-gnu)
