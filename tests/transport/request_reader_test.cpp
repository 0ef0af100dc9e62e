// Requests out of bytes: framing that could be read in two ways is refused, and how the network
// cuts the bytes makes no difference.
#include "transport/http/request_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

using found = request_reader::found;

/// The status that `bytes` are refused with, 0 where they are a whole request or part of one.
int refused_with(const std::string& bytes, const request_limits& limits = {}) {
  request_reader reader(limits);
  reader.append(bytes);
  found last = reader.advance();
  while (last == found::head) last = reader.advance();
  return last == found::bad ? reader.fault().status : 0;
}

std::string post(const std::string& fields, const std::string& body = {}) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

TEST(RequestReader, GivesTheSameWhereverTheBytesAreCut) {
  const std::string bytes = post("Transfer-Encoding: chunked\r\n",
                                 "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: v\r\n\r\n");
  const request_limits limits;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    request_reader reader(limits);
    found last = found::nothing;
    for (const auto& piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
      reader.append(piece);
      do last = reader.advance();
      while (last == found::head);
    }
    ASSERT_EQ(last, found::complete) << cut;
    EXPECT_EQ(reader.take_body(), "abc0123456789") << cut;
    EXPECT_EQ(reader.waiting(), 0U);
  }
}

TEST(RequestReader, ReadsPipelinedRequestsInTurn) {
  const request_limits limits;
  request_reader reader(limits);
  reader.append(post("Content-Length: 2\r\n", "ab") + "\r\nGET /y?q HTTP/1.1\r\nhost: b\r\n\r\n");
  EXPECT_EQ(reader.advance(), found::head);
  EXPECT_EQ(reader.advance(), found::complete);
  EXPECT_EQ(reader.take_body(), "ab");
  reader.next();
  EXPECT_EQ(reader.advance(), found::head);
  EXPECT_EQ(reader.head().path, "/y");
  EXPECT_EQ(reader.advance(), found::complete);
  reader.next();
  EXPECT_EQ(reader.advance(), found::nothing);
}

TEST(RequestReader, RefusesAmbiguousFraming) {
  for (const char* fields :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: +5\r\n", "Content-Length: -1\r\n", "Content-Length: 0x10\r\n",
        "Content-Length: 5,5\r\n", "Content-Length: \r\n",
        "Content-Length: 1000000000000000000000000000000\r\n", "Content-Length : 5\r\n",
        "A: b\r\n folded\r\n", "A: b\nC: d\r\n", "A: b\rC: d\r\n", "A\r\n", ": v\r\n",
        "A b: c\r\n"})
    EXPECT_EQ(refused_with(post(fields)), 400) << fields;
  EXPECT_EQ(refused_with(post(std::string("A: b\0c\r\n", 8))), 400);
  EXPECT_EQ(refused_with(post("A: b\x01\r\n")), 400);
  EXPECT_EQ(refused_with(post("A: b\x7F\r\n")), 400);
}

TEST(RequestReader, UnderstandsNoTransferEncodingButChunked) {
  for (const char* value : {"gzip, chunked", "xchunked", "chunked, chunked", "identity",
                            "chunked;q=1", "\"chunked\"", ""})
    EXPECT_EQ(refused_with(post("Transfer-Encoding: " + std::string(value) + "\r\n")), 501)
        << value;
  EXPECT_EQ(refused_with(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
            501);
  EXPECT_EQ(refused_with("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(refused_with(post("transfer-encoding:\tCHUNKED \r\n", "0\r\n\r\n")), 0);
}

TEST(RequestReader, RefusesBadChunks) {
  for (const char* body :
       {"12345678901234567\r\n", "-1\r\n", "g\r\n", "\r\n", " 3\r\n", "3 \r\nabc\r\n", "3\nabc\r\n",
        "3\r\nabcd\r\n", "3\r\nabc\n", "0x3\r\nabc\r\n", "3;\x01\r\n"})
    EXPECT_EQ(refused_with(post("Transfer-Encoding: chunked\r\n", body)), 400) << body;
  EXPECT_EQ(refused_with(post("Transfer-Encoding: chunked\r\n", "3;" + std::string(5000, 'x'))),
            400);
  request_limits few;
  few.chunks = 2;
  EXPECT_EQ(
      refused_with(
          post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"), few),
      413);
}

TEST(RequestReader, RefusesBadHosts) {
  const auto with = [](const std::string& fields) {
    return "GET / HTTP/1.1\r\n" + fields + "\r\n";
  };
  for (const char* fields :
       {"", "Host: a\r\nHost: a\r\n", "Host: x/?\r\n", "Host: a b\r\n", "Host: \r\n",
        "Host: a:b\r\n", "Host: [::1\r\n", "Host: a@b\r\n", "Host: a:123456\r\n"})
    EXPECT_EQ(refused_with(with(fields)), 400) << fields;
  for (const char* fields : {"Host: a\r\n", "Host: a.b-c:80\r\n", "Host: [::1]:8000\r\n",
                             "Host: 127.0.0.1\r\n", "Host: a:\r\n"})
    EXPECT_EQ(refused_with(with(fields)), 0) << fields;
}

TEST(RequestReader, RefusesWhatIsNotHttp) {
  EXPECT_EQ(refused_with(std::string("\x16\x03\x01\x02\x00", 5)), 400);
  EXPECT_EQ(refused_with("\x01"), 400);
  EXPECT_EQ(refused_with("GET /\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / x HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("PRI * HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(refused_with("GET / HTTP/9.9\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refused_with("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("SSH-2.0-OpenSSH\r\n"), 0) << "may still become a request line";
  EXPECT_EQ(refused_with("SSH-2.0-OpenSSH\r\n\r\n"), 400);
}

TEST(RequestReader, BoundsTheHead) {
  const request_limits limits;
  const auto line = [](std::size_t size) { return "GET /" + std::string(size - 5, 'a'); };
  EXPECT_EQ(refused_with(line(limits.request_line_bytes)), 0);
  EXPECT_EQ(refused_with(line(limits.request_line_bytes + 1)), 414);
  EXPECT_EQ(refused_with(post("A: " + std::string(limits.header_bytes, 'a'))), 431);
  std::string lines;
  for (std::size_t i = 0; i + 2 < limits.header_lines; ++i) lines += "a: b\r\n";
  EXPECT_EQ(refused_with(post(lines)), 0);
  EXPECT_EQ(refused_with(post(lines + "a: b\r\n")), 431);
}

TEST(RequestReader, RefusesBodiesOverTheLimitBeforeReadingThem) {
  request_limits limits;
  limits.body_bytes = 10;
  EXPECT_EQ(refused_with(post("Content-Length: 10\r\n"), limits), 0);
  EXPECT_EQ(refused_with(post("Content-Length: 11\r\n"), limits), 413);
  EXPECT_EQ(refused_with(post("Transfer-Encoding: chunked\r\n", "6\r\nabcdef\r\n5\r\n"), limits),
            413);
  EXPECT_EQ(refused_with(post("Transfer-Encoding: chunked\r\n", "fffffffffffffff\r\n"), limits),
            413);
}

} // namespace
} // namespace troupe
