#include "tests/system/child.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <signal.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace troupe {

child::child(const std::vector<std::string>& words) {
  std::vector<std::string> held{TROUPE_PROGRAM};
  held.insert(held.end(), words.begin(), words.end());
  std::vector<char*> line;
  for (auto& word : held) line.push_back(word.data());
  line.push_back(nullptr);
  const std::string out = folder_.path() / "out";
  const std::string err = folder_.path() / "err";
  id_ = ::fork();
  if (id_ < 0) throw std::runtime_error("cannot fork");
  if (id_ > 0) return;
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
  ::execv(TROUPE_PROGRAM, line.data());
  ::_exit(127);
}

child::~child() {
  if (status_) return;
  signal(SIGKILL);
  wait(std::chrono::seconds(10));
}

void child::signal(int number) const {
  if (!status_) ::kill(id_, number);
}

std::optional<int> child::wait(std::chrono::milliseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  while (!status_) {
    int status = 0;
    if (::waitpid(id_, &status, WNOHANG) == id_) {
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    } else if (std::chrono::steady_clock::now() > deadline) {
      break;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  return status_;
}

std::string child::read(const std::string& name) const {
  std::ifstream file(folder_.path() / name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

} // namespace troupe
