// hello_client ADDRESS NAME [--repeat=N]
#include <cstdio>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "ferry/rpc/channel.h"
#include "greeter.ferry.h"

ABSL_FLAG(int, repeat, 1, "how often to call");

int main(int argc, char** argv) {
  std::vector<char*> args = absl::ParseCommandLine(argc, argv);
  if (args.size() != 3) return puts("usage: hello_client ADDRESS NAME [--repeat=N]"), 2;
  absl::StatusOr<ferry::Channel> channel = ferry::Connect(args[1]);
  if (!channel.ok()) return ferry::ExitCode(channel.status());

  greeter::GreeterStub stub(*channel);
  greeter::GreetRequest request;
  greeter::GreetReply reply;
  request.set_name(args[2]);
  absl::Status status;
  for (int i = 0; i < absl::GetFlag(FLAGS_repeat) && status.ok(); ++i) {
    status = stub.Greet(request, &reply);
  }
  if (status.ok()) puts(reply.text().c_str());
  return ferry::ExitCode(status);
}
