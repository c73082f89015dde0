#!/bin/sh
# boot.sh IMAGE PAYLOAD UNIT SECONDS QEMU-OPTION...: becomes a virtual machine that starts with one of the guest's own units.
# Nothing it does reaches the image: both disks are copy-on-write (snapshot=on), and what the guest writes goes with it.
set -eu
image=$1 payload=$2 unit=$3 limit=$4
shift 4
# Emulation only: a stock guest hangs on this kind of machine's /dev/kvm. Drivers it would probe in vain are left out.
useless=kvm_amd,kvm,ata_piix,ata_generic,psmouse,powernow_k8,floppy,i2c_piix4,pcspkr
# What makes emulation slow and no test needs: zeroed pages, huge pages, waiting for grace periods, five levels of page tables, and
# pages cleared and copied by `rep`, of which each round is emulated (erms, rep_good).
fast="mitigations=off clearcpuid=rep_good init_on_alloc=0 hardened_usercopy=off rcupdate.rcu_expedited=1 transparent_hugepage=madvise nowatchdog"
# Without cmpxchg16b: its emulation by two threads brought a guest's kernel down once, in kmalloc.
# In the foreground, or Ctrl-C and the terminal would not reach the machine of a person.
exec timeout --foreground -k 10 "$limit" qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -cpu max,-cx16,-la57,-smap,-umip,-pku,-erms,-fsrm -m "${RUNT_VM_MEMORY:-3072}" \
	-nodefaults -no-user-config -display none -no-reboot \
	-kernel "$image/vmlinuz" -initrd "$image/initrd" \
	-append "root=LABEL=root rw console=ttyS0 quiet panic=-1 oops=panic $fast systemd.log_color=0 systemd.wants=$unit runt.limit=${RUNT_VM_FILE_LIMIT:-900} runt.boot=${RUNT_VM_BOOT:-1} runt.files=${RUNT_VM_FILES:-} runt.managers=${RUNT_MANAGERS:-core} modprobe.blacklist=$useless" \
	-drive "file=$image/disk,if=virtio,format=raw,snapshot=on,cache=unsafe" \
	-drive "file=$payload,if=virtio,format=raw,snapshot=on,cache=unsafe" \
	-device virtio-rng-pci -device virtio-serial-pci "$@"
