// hello_client ADDRESS NAME [--repeat=N]
#include <cstdio>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/server.h"
#include "greeter.ferry.h"

ABSL_FLAG(int, repeat, 1, "how often to call");

int main(int argc, char** argv) {
  std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  if (arguments.size() != 3) {
    return std::fprintf(stderr, "usage: %s ADDRESS NAME [--repeat=N]\n", argv[0]), 2;
  }
  absl::StatusOr<ferry::Channel> channel = ferry::Connect(arguments[1]);
  if (!channel.ok()) return ferry::ExitCode(channel.status());

  greeter::GreeterStub stub(*channel);
  greeter::GreetRequest request;
  request.set_name(arguments[2]);
  greeter::GreetReply reply;
  for (int i = 0; i < absl::GetFlag(FLAGS_repeat); ++i) {
    absl::Status status = stub.Greet(request, &reply);
    if (!status.ok()) return ferry::ExitCode(status);
  }
  std::printf("%s\n", reply.text().c_str());
}
