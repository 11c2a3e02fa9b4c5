#!/usr/bin/env python3
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# A parent that knows ferry from docs/protocol.md only: it starts a program that serves
# `stdio:` and calls greeter.Greeter/Greet, byte by byte.
#
#   stdio_parent.py [--socket | --nonblocking] PROGRAM [ARG…]
"""Calls greeter.Greeter/Greet of a child over its stdin and stdout."""

import os
import socket
import struct
import subprocess
import sys

HEADER = struct.Struct("<IBBHIQI")  # length, type, flags, aux, call, method, arg
HELLO, REQUEST, REPLY, END = 1, 2, 5, 2
MAGIC = int.from_bytes(b"FERRY\r\n\x1a", "little")
VERSIONS = b"\x08\x01\x10\x01"  # 1 to 1
LIMITS = b"\x20\x80\x80\x80\x20\x28\x80\x80\x04"  # messages of 64 MiB, frames of 64 KiB


def method_id(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def frame(kind, payload, flags=0, call=0, method=0):
    return HEADER.pack(len(payload), kind, flags, 0, call, method, 0) + payload


def read_frame(stream):
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        sys.exit("the child closed its stdout")
    length, kind, _, code, call, method, _ = HEADER.unpack(header)
    return kind, code, call, method, stream.read(length)


def start(how, command):
    if how == "--socket":  # as sshd, inetd and some launchers do
        ours, theirs = socket.socketpair()
        child = subprocess.Popen(command, stdin=theirs, stdout=theirs)
        theirs.close()
        return child, ours.makefile("wb", 0), ours.makefile("rb"), ours
    if how == "--nonblocking":  # a launcher that has changed the mode of what it passes on
        stdin, to_child = os.pipe()
        from_child, stdout = os.pipe()
        os.set_blocking(stdin, False)
        os.set_blocking(stdout, False)
        child = subprocess.Popen(command, stdin=stdin, stdout=stdout)
        os.close(stdin)
        os.close(stdout)
        return child, os.fdopen(to_child, "wb", 0), os.fdopen(from_child, "rb"), None
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return child, child.stdin, child.stdout, None


def main(arguments):
    how = arguments.pop(0) if arguments[0].startswith("--") else ""
    child, to_child, from_child, connection = start(how, arguments)

    to_child.write(frame(HELLO, VERSIONS + LIMITS, method=MAGIC))
    for number, name in enumerate(["Python", "x" * 60000], start=1):
        request = b"\x0a" + varint(len(name)) + name.encode()  # GreetRequest.name
        call = number << 17  # generation, index 0, opened by the side that connected
        method = method_id("greeter.Greeter/Greet")
        to_child.write(frame(REQUEST, request, flags=END, call=call, method=method))
        to_child.flush()
        kind = None
        while kind != REPLY:
            kind, code, answered, method, payload = read_frame(from_child)
            assert kind in (HELLO, REPLY) and (kind != HELLO or method == MAGIC), kind
        assert code == 0 and answered == call, (code, answered)
        text = b"hello " + name.encode()
        assert payload == b"\x0a" + varint(len(text)) + text, payload[:100]
        print(text.decode() if len(text) < 100 else f"hello and {len(name)} letters")

    to_child.close()
    if connection:
        connection.shutdown(socket.SHUT_WR)
    code = child.wait(timeout=60)
    print(f"the child exited with code {code}")
    return code


def varint(value):
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
