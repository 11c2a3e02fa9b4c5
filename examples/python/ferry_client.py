# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
"""A client of ferry in one file, written from docs/protocol.md alone.

  async with contextlib.aclosing(await connect("unix:/tmp/hello")) as channel:
      call = await channel.start("greeter.Greeter/Greet", GreetReply, GreetRequest(name="you"))
      print((await call.read()).text)

Needs Python 3.11, protobuf for Python, and wire_pb2: protoc -Iproto --python_out=. wire.proto
A Channel is one connection, of one event loop. One task at a time writes, and one reads, a call;
any may cancel it. What fails raises RpcError; connecting, OSError or EOFError, too. Metadata are
wire.Metadata.Entry. A call given up is over at once, and leaves Channel.calls with its REPLY."""

import asyncio
import collections
import functools
import os
import struct
from math import inf
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

import wire_pb2 as wire
from google.protobuf.message import Message

HELLO, REQUEST, CONTINUE, MESSAGE, REPLY, METADATA, CANCEL, CREDIT, PING, GOAWAY = range(1, 11)
FIRST_SKIPPABLE, MORE, END, EMPTY, TRAILING, ACK = 0x80, 1, 2, 4, 16, 32
CODES = ("OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS "
         "PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE "
         "UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED").split()
VERSION, MAGIC = 1, int.from_bytes(b"FERRY\r\n\x1a", "little")
MAX_FRAME, MAX_MESSAGE, STREAM_CREDIT, PER_MESSAGE = 64 << 10, 64 << 20, 256 << 10, 24  # bytes
HEADER = struct.Struct("<IBBHIQI")  # the payload's length, and a Frame without its payload
Frame = collections.namedtuple("Frame", "type flags aux call method arg payload")


class RpcError(Exception):
    def __init__(self, code: str, message: str, details: Sequence[wire.Status.Detail] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.details = code, message, details


class Channel:
    def __init__(self, reader: asyncio.StreamReader, writer: Any, child: Any = None) -> None:
        self.calls: dict[int, Call] = {}  # by id, all whose REPLY has not come
        self.changed = asyncio.Event()  # set when those who wait shall look again
        self.credit = 0.0  # bytes of requests that may be sent; none before the server's HELLO
        self.end: Optional[RpcError] = None  # why no call can be opened any more
        self.free_ids = [index << 1 | 1 << 17 for index in reversed(range(65535))]
        self.peer: Optional[wire.Hello] = None
        self._writer, self._child = writer, child
        hello = wire.Hello(min_version=VERSION, max_version=VERSION, max_message=MAX_MESSAGE,
                           max_frame=MAX_FRAME, stream_credit=STREAM_CREDIT)
        self.send(HELLO, method=MAGIC, payload=hello.SerializeToString())
        self._task = asyncio.ensure_future(self._read(reader))

    async def aclose(self) -> None:
        self._task.cancel()
        self._fail(RpcError("UNAVAILABLE", "the channel was closed"))
        if self._child:
            await self._child.communicate()  # which reads what is left

    async def start(self, method: str, reply_type: type, request: Optional[Message] = None, *,
                    more: bool = False, timeout: float = inf, metadata: Sequence = ()) -> "Call":
        """Opens a call, with its first message if given; with `more`, others follow by write."""
        call = Call(self, reply_type, timeout)
        await self.wait(lambda: self.end or call.status or (self.credit > 0 and self.free_ids))
        if self.end or call.status:
            raise self.end or call.status
        head = wire.Metadata(entries=metadata).SerializeToString()
        payload, flags = self.encode(request, end=not more)
        call.id, call.credit = self.free_ids.pop(), self.peer.stream_credit or inf
        self.calls[call.id] = call
        self.credit -= len(head) + len(payload)
        if head:
            self.send(METADATA, call=call.id, payload=head)
        left = (call.timer.when() - asyncio.get_running_loop().time()) * 1e6  # us
        method_id = functools.reduce(lambda value, byte: (value ^ byte) * 0x100000001B3 % 2**64,
                                     method.encode(), 0xCBF29CE484222325)
        self.send(REQUEST, flags, 0, call.id, method_id, int(min(max(left, 1), 2**32 - 1)), payload)
        return call

    async def wait(self, ready: Callable[[], Any]) -> None:
        while not ready():
            self.changed.clear()
            await self.changed.wait()

    def encode(self, message: Optional[Message], end: bool) -> tuple[bytes, int]:
        payload = b"" if message is None else message.SerializeToString()
        if len(payload) > (self.peer.max_message or MAX_MESSAGE):
            raise RpcError("RESOURCE_EXHAUSTED", f"{len(payload)} bytes for one of {self.peer}")
        return payload, (END if end else 0) | (EMPTY if message is None else 0)

    def send(self, type_: int, flags: int = 0, aux: int = 0, call: int = 0, method: int = 0,
             arg: int = 0, payload: bytes = b"") -> None:
        for at in range(0, len(payload) or 1, MAX_FRAME):
            piece, left = payload[at:at + MAX_FRAME], len(payload) - at
            if at > 0:
                type_, flags, aux, method, arg = CONTINUE, 0, 0, 0, left
            more = MORE if left > MAX_FRAME else 0
            header = HEADER.pack(len(piece), type_, flags | more, aux, call, method, arg)
            self._writer.write(header + piece)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                length, *fields = HEADER.unpack(await reader.readexactly(HEADER.size))
                if length > MAX_FRAME:
                    raise ValueError(f"a frame of {length} bytes")
                self._on_frame(Frame(*fields, await reader.readexactly(length)))
                self.changed.set()
        except Exception as error:  # of whatever kind a frame against the protocol leads to
            code = "UNAVAILABLE" if isinstance(error, (OSError, EOFError)) else "DATA_LOSS"
            self._fail(RpcError(code, f"connection lost: {error!r}"))

    def _fail(self, error: RpcError) -> None:
        self.end = self.end or error
        for call in self.calls.values():
            call.finish(self.end)
        self.calls.clear()
        self._writer.close()
        self.changed.set()

    def _on_frame(self, frame: Frame) -> None:
        if frame.type == GOAWAY:  # open calls fail when the connection ends
            self.end = error_of(frame.aux or CODES.index("UNAVAILABLE"), frame.payload)
        elif self.peer is None:
            if frame.type != HELLO or frame.method != MAGIC:
                raise ValueError(f"not a HELLO: {frame}")
            self.peer = wire.Hello.FromString(frame.payload)
            self.credit = self.peer.request_credit or inf
            if not self.peer.min_version <= VERSION <= self.peer.max_version:
                self._fail(RpcError("FAILED_PRECONDITION", f"not version {VERSION}: {self.peer}"))
        elif frame.type == PING and not frame.flags & ACK:
            self.send(PING, ACK, method=frame.method)
        elif frame.type == CREDIT:
            (self.calls[frame.call] if frame.call else self).credit += frame.arg
        elif frame.type == REQUEST and frame.call & 1:  # a call that the server opens
            self.send(REPLY, 0, CODES.index("UNIMPLEMENTED"), frame.call)
        elif frame.type < FIRST_SKIPPABLE and frame.type != PING and not frame.call & 1:
            self.calls[frame.call].on_frame(frame)


class Call:
    def __init__(self, channel: Channel, reply_type: type, limit: float) -> None:
        self.credit = 0.0  # bytes that may be sent
        self.metadata: dict[int, Any] = {}  # entries: the initial ones are [0], others [TRAILING]
        self.status: Optional[RpcError] = None  # how it has ended: well, if its code is "OK"
        self.timer = asyncio.get_running_loop().call_later(limit, self.cancel, "DEADLINE_EXCEEDED")
        self.id, self._channel, self._reply_type = 0, channel, reply_type
        self._first, self._body = None, bytearray()  # of a message that is not whole yet
        self._inbox: collections.deque[bytes] = collections.deque()

    async def write(self, message: Optional[Message], end: bool = False) -> bool:
        """Sends a message as credit allows; None, with `end`, just ends. False: it is over."""
        payload, flags = self._channel.encode(message, end)
        await self._channel.wait(lambda: self.status or message is None or self.credit > 0)
        if not self.status:
            self.credit -= 0 if message is None else len(payload) + PER_MESSAGE
            self._channel.send(MESSAGE, flags, call=self.id, payload=payload)
        return not self.status

    async def read(self) -> Optional[Message]:
        """The next message, of a stream or of the REPLY; None when the call has ended well."""
        await self._channel.wait(lambda: self.status or self._inbox)
        if not self._inbox:
            if self.status.code == "OK":
                return None
            raise self.status
        payload = self._inbox.popleft()
        if self.id in self._channel.calls:
            self._channel.send(CREDIT, call=self.id, arg=len(payload) + PER_MESSAGE)
        return self._reply_type.FromString(payload)

    def cancel(self, code: str = "CANCELLED", why: str = "given up by the caller") -> None:
        if not self.status:
            self.finish(RpcError(code, why))
            self._inbox.clear()
            if self.id in self._channel.calls:
                self._channel.send(CANCEL, call=self.id)

    def finish(self, status: RpcError) -> None:
        self.status = self.status or status
        self.timer.cancel()
        self._channel.changed.set()

    def on_frame(self, frame: Frame) -> None:
        if frame.type != CONTINUE:
            self._first, self._body = frame, bytearray()
        elif len(self._body) + frame.arg > MAX_MESSAGE:
            self.cancel("RESOURCE_EXHAUSTED", f"a message of {len(self._body) + frame.arg} bytes")
        self._body += b"" if self.status else frame.payload
        if frame.flags & MORE:
            return
        first, payload = self._first, bytes(self._body)
        if self.status:
            pass  # the payload was dropped
        elif first.type == METADATA:
            self.metadata[first.flags & TRAILING] = wire.Metadata.FromString(payload).entries
        elif first.aux:
            self.finish(error_of(first.aux, payload))
        elif first.type in (MESSAGE, REPLY) and not first.flags & EMPTY:
            self._inbox.append(payload)
        if first.type == REPLY:
            self.finish(RpcError("OK", ""))
            del self._channel.calls[self.id]
            self._channel.free_ids.append(self.id & 0x1FFFF | ((self.id >> 17) % 32767 + 1) << 17)
            self._channel.credit += first.arg


def error_of(code: int, payload: bytes) -> RpcError:
    status = wire.Status.FromString(payload)
    return RpcError(CODES[code], status.message.decode(errors="backslashreplace"), status.details)


async def connect(address: str) -> Channel:
    """To unix:PATH, named-pipe:PATH or exec:PROGRAM?arg=stdio:&transport=stdio, as they are."""
    scheme, _, body = address.partition(":")
    if scheme == "unix":
        return Channel(*await asyncio.open_unix_connection(body))
    if scheme == "named-pipe":
        return Channel(*await open_named_pipe(body))
    program, _, query = body.partition("?")
    arguments = [text[4:] for text in query.split("&") if text.startswith("arg=")]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(program, *arguments, stdin=pipe, stdout=pipe)
    return Channel(child.stdout, child.stdin, child)


async def open_named_pipe(path: str) -> tuple[asyncio.StreamReader, asyncio.WriteTransport]:
    loop, reader, nonce = asyncio.get_running_loop(), asyncio.StreamReader(), os.urandom(16)
    to_server, to_client = (Path(f"{path}.{nonce.hex()}.{end}") for end in ("out", "in"))
    server = os.open(path, os.O_WRONLY | os.O_NONBLOCK)  # ENXIO: nobody serves
    try:
        os.mkfifo(to_server, 0o600)
        with open(to_server, "r+b", 0):  # until the server has it open
            write = open(to_server, "wb", 0)
            os.mkfifo(to_client, 0o600)
            read = open(os.open(to_client, os.O_RDONLY | os.O_NONBLOCK), "rb", 0)
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), read)
            os.write(server, struct.pack("<8sII16s480x", b"ferry.hi", 1, 0, nonce))
            record = await asyncio.wait_for(reader.readexactly(512), timeout=10)
            code, text = struct.unpack("<12xI496s", record)
    finally:
        os.close(server)
        to_client.unlink(missing_ok=True)
        to_server.unlink(missing_ok=True)
    if code != 0:
        raise RpcError(CODES[code], text.rstrip(b"\0").decode(errors="replace"))
    return reader, (await loop.connect_write_pipe(asyncio.Protocol, write))[0]
