// A driver's library for tests: two GPUs, of which the second is old and tells little.
#include <cstdio>

namespace {

enum { success = 0, not_supported = 3 };

struct rates {
  unsigned gpu, memory;
};
struct memory {
  unsigned long long total, free, used;
};

bool is_new(void* device) { return *static_cast<int*>(device) == 1; }

} // namespace

extern "C" {

int nvmlInit_v2() { return success; }
int nvmlShutdown() { return success; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return success;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  static int devices[2] = {1, 0};
  *device = &devices[index];
  return success;
}
int nvmlDeviceGetUUID(void* device, char* text, unsigned size) {
  snprintf(text, size, is_new(device) ? "GPU-new" : "GPU-old");
  return success;
}
int nvmlDeviceGetUtilizationRates(void* device, rates* out) {
  if (!is_new(device)) return not_supported;
  out->gpu = 87;
  out->memory = 40;
  return success;
}
int nvmlDeviceGetMemoryInfo(void*, memory* out) {
  out->total = 1000000;
  out->free = 250000;
  out->used = 750000;
  return success;
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
  *milliwatts = 412500;
  return is_new(device) ? success : not_supported;
}
int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* millijoules) {
  *millijoules = 5000000000ULL;
  return is_new(device) ? success : not_supported;
}
int nvmlDeviceGetTemperature(void*, int sensor, unsigned* celsius) {
  *celsius = 61;
  return sensor == 0 ? success : not_supported;
}
int nvmlDeviceGetClockInfo(void* device, int type, unsigned* megahertz) {
  *megahertz = type == 1 ? 1980 : 3201;
  return is_new(device) ? success : not_supported;
}
int nvmlDeviceGetTotalEccErrors(void* device, int type, int counter, unsigned long long* errors) {
  *errors = type == 0 ? 4 : 1;
  return is_new(device) && counter == 0 ? success : not_supported;
}

} // extern "C"
