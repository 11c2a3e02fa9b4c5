#!/bin/sh
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# on_one_cpu.sh PROGRAM [ARG...]: runs it on the first of the usable CPUs.
cpu=$(taskset -cp $$ | sed 's/.*: //; s/[^0-9].*//')
exec taskset -c "$cpu" "$@"
