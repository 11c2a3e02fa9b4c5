// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "report.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ferry::bench {

absl::StatusOr<Report> Report::Open(const std::string& json_path) {
  Report report;
  if (json_path.empty()) return report;
  report.json_.reset(std::fopen(json_path.c_str(), "w"));
  if (report.json_ == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("open ", json_path));
  return report;
}

void Report::PrintHeadOfCalls() const {
  absl::PrintF("%-24s %-6s %-10s %7s %8s %8s %8s %8s %8s %8s  %s\n", "case", "system", "over",
               "payload", "p50 us", "p99 us", "p99.9 us", "calls/s", "MB/s", "CPU us",
               "p50, mean by those of");
}

void Report::PrintHeadOfStreams() const {
  absl::PrintF("%-24s %-6s %-10s %7s %8s %10s %8s %8s  %s\n", "case", "system", "over", "payload",
               "ns each", "messages/s", "MB/s", "CPU ns", "p50, mean by those of");
}

Baseline Report::AddCalls(const Case& what, Measurement& measured,
                          absl::Span<const Baseline> baselines) {
  int64_t p50 = measured.samples.Percentile(0.5);
  int64_t p99 = measured.samples.Percentile(0.99);
  int64_t p999 = measured.samples.Percentile(0.999);
  double count = static_cast<double>(measured.samples.size());
  double mean = static_cast<double>(measured.samples.Total()) / count;
  double calls_per_s = count * 1e9 / static_cast<double>(measured.elapsed_ns);
  double mb_per_s = calls_per_s * static_cast<double>(what.payload) / 1e6;
  double cpu = static_cast<double>(measured.cpu_ns) / static_cast<double>(measured.calls);

  absl::PrintF("%-24s %-6s %-10s %7d %8.3f %8.2f %8.2f %8.0f %8.1f %8.3f", what.name, what.system,
               what.transport, what.payload, static_cast<double>(p50) / 1e3,
               static_cast<double>(p99) / 1e3, static_cast<double>(p999) / 1e3, calls_per_s,
               mb_per_s, cpu / 1e3);
  if (json_ != nullptr) {
    absl::FPrintF(json_.get(),
                  R"({"system":"%s","transport":"%s","case":"%s","payload":%d,"in_flight":%d,)"
                  R"("p50_ns":%d,"p99_ns":%d,"p999_ns":%d,"calls_per_s":%.1f,"mb_per_s":%.3f,)"
                  R"("cpu_ns_per_call":%.1f)",
                  what.system, what.transport, what.name, what.payload, what.in_flight, p50, p99,
                  p999, calls_per_s, mb_per_s, cpu);
  }
  Baseline row = {what.system, static_cast<double>(p50), mean};
  AddRatios(row, baselines);
  return row;
}

Baseline Report::AddStreams(const Case& what, Measurement& measured,
                            absl::Span<const Baseline> baselines) {
  double streams = static_cast<double>(measured.samples.size());
  double messages = static_cast<double>(what.messages);
  Baseline row = {what.system, static_cast<double>(measured.samples.Percentile(0.5)),
                  static_cast<double>(measured.samples.Total()) / streams};
  double each = row.p50_ns / messages;
  double messages_per_s = messages * 1e9 / row.mean_ns;
  double mb_per_s = messages_per_s * static_cast<double>(what.payload) / 1e6;
  double cpu =
      static_cast<double>(measured.cpu_ns) / (static_cast<double>(measured.calls) * messages);

  absl::PrintF("%-24s %-6s %-10s %7d %8.0f %10.0f %8.1f %8.0f", what.name, what.system,
               what.transport, what.payload, each, messages_per_s, mb_per_s, cpu);
  if (json_ != nullptr) {
    absl::FPrintF(json_.get(),
                  R"({"system":"%s","transport":"%s","case":"%s","payload":%d,"messages":%d,)"
                  R"("streams":%d,"p50_ns_per_message":%.1f,"messages_per_s":%.1f,)"
                  R"("mb_per_s":%.3f,"cpu_ns_per_message":%.1f)",
                  what.system, what.transport, what.name, what.payload, what.messages,
                  measured.samples.size(), each, messages_per_s, mb_per_s, cpu);
  }
  AddRatios(row, baselines);
  return row;
}

void Report::AddRatios(const Baseline& row, absl::Span<const Baseline> baselines) {
  std::string objects;
  for (auto other = baselines.rbegin(); other != baselines.rend(); ++other) {
    double p50 = row.p50_ns / other->p50_ns;
    double mean = row.mean_ns / other->mean_ns;
    absl::PrintF("  %s %.3f %.3f", other->system, p50, mean);
    absl::StrAppendFormat(&objects, R"(%s"%s":{"p50":%.4f,"mean":%.4f})",
                          objects.empty() ? "" : ",", other->system, p50, mean);
  }
  absl::PrintF("\n");
  std::fflush(stdout);
  if (json_ != nullptr)
    absl::FPrintF(json_.get(),
                  R"(,"by":{%s}})"
                  "\n",
                  objects);
}

}  // namespace ferry::bench
