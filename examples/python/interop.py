#!/usr/bin/env python3
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
"""interop.py ADDRESS [CASE…] | --list

Calls ferry.interop.TestService (tests/interop/interop.proto) at ADDRESS, which is unix:PATH,
named-pipe:PATH or exec:PROGRAM?arg=stdio:&transport=stdio. The cases are those of gRPC's
doc/interop-test-descriptions.md and some more, all of them if none is named. Says `passed CASE`
or `FAILED CASE: expected … got …` for each; exit code 1 if one failed. In $PYTHONPATH it needs
what this writes: protoc -Iproto -Itests/interop --python_out=FOLDER wire.proto interop.proto"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any, Awaitable, Callable, Optional

import interop_pb2 as pb
import wire_pb2 as wire
from ferry_client import TRAILING, Call, Channel, RpcError, connect

REQUEST_SIZES, RESPONSE_SIZES = (27182, 8, 1828, 45904), (31415, 9, 2653, 58979)
ECHO_INITIAL, ECHO_TRAILING = b"x-ferry-test-echo-initial", b"x-ferry-test-echo-trailing-bin"
TIMEOUT = 20.0  # a server that hangs fails a case, and not the one who waits for all
MANY = [65536 - i for i in range(64)]  # sizes, together more than either side takes at once

Case = Callable[[Channel], Awaitable[None]]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    CASES[function.__name__] = function
    return function


def expect(what: str, expected: Any, got: Any) -> None:
    if got != expected:
        raise AssertionError(f"expected {what} {str(expected)[:80]!r} got {str(got)[:80]!r}")


async def start(channel: Channel, method: str, reply: type, request: Any = None,
                **how: Any) -> Call:
    if "/" not in method:
        method = f"ferry.interop.TestService/{method}"
    return await channel.start(method, reply, request, **{"timeout": TIMEOUT, **how})


async def unary(channel: Channel, request: pb.SimpleRequest, **how: Any) -> Call:
    return await start(channel, "UnaryCall", pb.SimpleResponse, request, **how)


async def two_way(channel: Channel, **how: Any) -> Call:
    return await start(channel, "FullDuplexCall", pb.StreamingOutputCallResponse, more=True, **how)


def output_request(request_size: int, *response_sizes: int, pause: float = 0) -> Any:
    """`pause` is in seconds, before each response."""
    parameters = [pb.ResponseParameters(size=size, interval_us=int(pause * 1e6))
                  for size in response_sizes]
    return pb.StreamingOutputCallRequest(
        payload=pb.Payload(body=bytes(request_size)), response_parameters=parameters)


async def call_large(channel: Channel, **how: Any) -> Call:
    request = pb.SimpleRequest(response_size=314159, payload=pb.Payload(body=bytes(271828)))
    call = await unary(channel, request, **how)
    reply = await call.read()
    expect("payload of", 314159, len(reply.payload.body))
    expect("zeros", True, not any(reply.payload.body))
    return call


async def expect_responses(call: Call, *sizes: Optional[int]) -> None:
    """Each of `sizes` is that of a payload, or None for the end of the stream."""
    for size in sizes:
        response = await call.read()
        expect("response of", size, response and len(response.payload.body))


async def expect_error(call: Call, code: str, message: Optional[str] = None) -> None:
    try:
        reply = await call.read()
    except RpcError as error:
        expect("code", code, error.code)
        expect("message", error.message if message is None else message, error.message)
    else:
        raise AssertionError(f"expected code {code!r} got reply {str(reply)[:80]!r}")


async def expect_echo(channel: Channel, initial: bytes, trailing: bytes) -> None:
    """Of metadata, in each of the two shapes."""
    metadata = [wire.Metadata.Entry(name=ECHO_INITIAL, value=initial),
                wire.Metadata.Entry(name=ECHO_TRAILING, value=trailing)]
    large = await call_large(channel, metadata=metadata)
    stream = await two_way(channel, metadata=metadata)
    await stream.write(output_request(271828, 314159), end=True)
    await expect_responses(stream, 314159, None)
    for call in (large, stream):
        expect("initial metadata", metadata[:1], list(call.metadata.get(0, ())))
        expect("trailing metadata", metadata[1:], list(call.metadata.get(TRAILING, ())))


@case
async def empty_unary(channel: Channel) -> None:
    call = await start(channel, "EmptyCall", pb.Empty, pb.Empty())
    expect("reply", pb.Empty(), await call.read())


@case
async def large_unary(channel: Channel) -> None:
    await call_large(channel)


@case
async def client_streaming(channel: Channel) -> None:
    call = await start(channel, "StreamingInputCall", pb.StreamingInputCallResponse, more=True)
    for size in REQUEST_SIZES:
        await call.write(pb.StreamingInputCallRequest(payload=pb.Payload(body=bytes(size))))
    await call.write(None, end=True)
    expect("sum of sizes", 74922, (await call.read()).aggregated_payload_size)


@case
async def server_streaming(channel: Channel) -> None:
    call = await start(channel, "StreamingOutputCall", pb.StreamingOutputCallResponse,
                       output_request(0, *RESPONSE_SIZES))
    await expect_responses(call, *RESPONSE_SIZES, None)


@case
async def ping_pong(channel: Channel) -> None:
    call = await two_way(channel)
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
        await call.write(output_request(request_size, response_size))
        await expect_responses(call, response_size)
    await call.write(None, end=True)
    await expect_responses(call, None)


@case
async def empty_stream(channel: Channel) -> None:
    call = await two_way(channel)
    await call.write(None, end=True)
    await expect_responses(call, None)


@case
async def early_answer(channel: Channel) -> None:
    """The call ends while the client has more to say."""
    status = pb.EchoStatus(code=9, message="enough")
    call = await two_way(channel)
    request = output_request(65536)
    request.response_status.CopyFrom(status)
    writes = [await call.write(request) for _ in range(1000)]
    expect("last write", False, writes[-1])
    await expect_error(call, "FAILED_PRECONDITION", status.message)


@case
async def custom_metadata(channel: Channel) -> None:
    await expect_echo(channel, b"test_initial_metadata_value", b"\xab\xab\xab")


@case
async def large_metadata(channel: Channel) -> None:
    await expect_echo(channel, b"m" * 63 * 1024, b"")
    await expect_echo(channel, b"", b"\xff" * 63 * 1024)


@case
async def status_code_and_message(channel: Channel) -> None:
    status = pb.EchoStatus(code=2, message="test status message")
    call = await unary(channel, pb.SimpleRequest(response_status=status))
    await expect_error(call, "UNKNOWN", status.message)
    call = await two_way(channel)
    await call.write(pb.StreamingOutputCallRequest(response_status=status), end=True)
    await expect_error(call, "UNKNOWN", status.message)


@case
async def special_status_message(channel: Channel) -> None:
    text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    status = pb.EchoStatus(code=2, message=text)
    call = await unary(channel, pb.SimpleRequest(response_status=status))
    await expect_error(call, "UNKNOWN", text)


@case
async def unimplemented_method(channel: Channel) -> None:
    call = await start(channel, "UnimplementedCall", pb.Empty, pb.Empty())
    await expect_error(call, "UNIMPLEMENTED")


@case
async def unimplemented_service(channel: Channel) -> None:
    method = "ferry.interop.UnimplementedService/UnimplementedCall"
    await expect_error(await start(channel, method, pb.Empty, pb.Empty()), "UNIMPLEMENTED")


@case
async def cancel_after_begin(channel: Channel) -> None:
    call = await start(channel, "StreamingInputCall", pb.StreamingInputCallResponse, more=True)
    call.cancel()
    await expect_error(call, "CANCELLED")


@case
async def cancel_after_first_response(channel: Channel) -> None:
    call = await two_way(channel)
    await call.write(output_request(REQUEST_SIZES[0], RESPONSE_SIZES[0]))
    await expect_responses(call, RESPONSE_SIZES[0])
    call.cancel()
    await expect_error(call, "CANCELLED")


@case
async def cancel_in_another_task(channel: Channel) -> None:
    call = await two_way(channel)
    asyncio.get_running_loop().call_later(0.01, call.cancel)
    await expect_error(call, "CANCELLED")


@case
async def timeout_on_sleeping_server(channel: Channel) -> None:
    call = await two_way(channel, timeout=0.001)
    await call.write(output_request(REQUEST_SIZES[0], 1, pause=10))
    await expect_error(call, "DEADLINE_EXCEEDED")


@case
async def many_timeouts(channel: Channel) -> None:
    for _ in range(100):
        try:
            call = await start(channel, "StreamingOutputCall", pb.StreamingOutputCallResponse,
                               output_request(27182, 1, pause=10), timeout=0.001)
        except RpcError as error:  # there was no request credit, in this time
            expect("code", "DEADLINE_EXCEEDED", error.code)
        else:
            await expect_error(call, "DEADLINE_EXCEEDED")
    await call_large(channel)


@case
async def concurrent_large_unary(channel: Channel) -> None:
    await asyncio.gather(*(call_large(channel) for _ in range(100)))


@case
async def slow_receiver(channel: Channel) -> None:
    """First this side reads late, and stalls no other call; then the other does."""
    call = await start(channel, "StreamingOutputCall", pb.StreamingOutputCallResponse,
                       output_request(0, *MANY))
    await asyncio.gather(*(call_large(channel) for _ in range(10)))
    await expect_responses(call, *MANY, None)

    async def write_all() -> None:
        for size in MANY:
            await call.write(output_request(65536, size, pause=0.2 if size == MANY[0] else 0))
        await call.write(None, end=True)

    call = await two_way(channel)
    await asyncio.gather(write_all(), expect_responses(call, *MANY, None))


async def expect_no_open_call(channel: Channel) -> None:
    """The REPLY always comes, also after CANCEL."""
    for _ in range(int(TIMEOUT * 100)):
        if not channel.calls:
            return
        await asyncio.sleep(0.01)
    expect("open calls", 0, len(channel.calls))


async def run(address: str, name: str) -> bool:
    try:
        async with contextlib.aclosing(await connect(address)) as channel:
            await channel.wait(lambda: channel.peer or channel.end)  # or short deadlines pass
            await CASES[name](channel)
            await expect_no_open_call(channel)
    except (AssertionError, OSError, EOFError, RpcError) as error:
        text = error if isinstance(error, AssertionError) else f"expected success got {error!r}"
        print(f"FAILED {name}: {text}", flush=True)
        return False
    print(f"passed {name}", flush=True)
    return True


async def main(arguments: list[str]) -> int:
    if arguments == ["--list"]:
        print("\n".join(CASES))
        return 0
    if not arguments or arguments[0].startswith("-") or not CASES.keys() >= set(arguments[1:]):
        print(__doc__, file=sys.stderr)
        return 2
    results = [await run(arguments[0], name) for name in arguments[1:] or CASES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
