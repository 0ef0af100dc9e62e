// Templates and conversations made to hurt: each must end in a template_error, soon and without
// taking the process along.
#include "model/template/chat_template.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <thread>

namespace troupe {
namespace {

using json = nlohmann::ordered_json;

std::string repeated(std::string_view what, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += what;
  return out;
}

std::string render(std::string_view source, const json& context = json::object(),
                   template_limits limits = {}) {
  return chat_template(source, limits).render(context).text;
}

void expect_refused(std::string_view source) {
  EXPECT_THROW(render(source), template_error) << source.substr(0, 200);
}

TEST(HostileTemplate, NestsNoDeeperThanItsLimit) {
  expect_refused(repeated("{% if true %}", 50'000) + repeated("{% endif %}", 50'000));
  expect_refused("{{ " + repeated("(", 6'000) + "1" + repeated(")", 6'000) + " }}");
  expect_refused("{{ " + repeated("[", 100'000) + repeated("]", 100'000) + " }}");
  expect_refused("{{ " + repeated("{'a':", 50'000) + "1" + repeated("}", 50'000) + " }}");
  expect_refused("{{ " + repeated("not ", 100'000) + "1 }}");
  expect_refused("{{ " + repeated("-", 100'000) + "1 }}");
  expect_refused("{{ x" + repeated(" if x else x", 100'000) + " }}");
  expect_refused("{{ " + repeated("f(", 50'000) + repeated(")", 50'000) + " }}");
  expect_refused("{% set " + repeated("(", 50'000) + "x" + repeated(")", 50'000) + " = 1 %}");
  expect_refused(repeated("{% for x in y %}", 50'000));
  expect_refused(repeated("{% macro m() %}", 50'000));
}

TEST(HostileTemplate, BuildsNoEndlessChainsOfOperators) {
  expect_refused("{{ 1" + repeated(" + 1", 100'000) + " }}");
  expect_refused("{{ x" + repeated(".a", 100'000) + " }}");
  expect_refused("{{ x" + repeated("|upper", 100'000) + " }}");
  expect_refused("{{ x" + repeated("[0]", 100'000) + " }}");
  expect_refused("{{ x" + repeated("()", 100'000) + " }}");
  expect_refused("{{ x" + repeated(" and x", 100'000) + " }}");
  expect_refused("{{ x" + repeated(" is defined", 100'000) + " }}");
}

TEST(HostileTemplate, NestsAsDeepAsItsLimitAllows) {
  EXPECT_EQ(render(repeated("{% if true %}", 90) + "x" + repeated("{% endif %}", 90)), "x");
  EXPECT_EQ(render("{{ " + repeated("(", 40) + "1" + repeated(")", 40) + " }}"), "1");
  EXPECT_EQ(render("{{ 'a'" + repeated(" + 'a'", 400) + " }}"), repeated("a", 401));
  EXPECT_EQ(render("{% macro m(k) %}{% if k > 0 %}{{ k }}{{ m(k - 1) }}{% endif %}{% endmacro %}{{ "
                   "m(100) }}")
                .substr(0, 6),
            "100999");
}

TEST(HostileTemplate, EndsRecursionWithoutEnd) {
  expect_refused("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}");
  expect_refused(
      "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}");
  expect_refused("{% macro m(f) %}{{ f(f) }}{% endmacro %}{{ m(m) }}");
  expect_refused("{% macro m(x=m()) %}{% endmacro %}{{ m() }}");
  expect_refused("{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}");
}

TEST(HostileTemplate, RefusesLongRanges) {
  expect_refused("{{ range(10**12)|length }}");
  expect_refused("{{ range(-9223372036854775807, 9223372036854775807)|list }}");
  expect_refused("{% for i in range(100001) %}{% endfor %}");
}

TEST(HostileTemplate, StopsLoopsThatDoNotEnd) {
  expect_refused("{% set q = [1] %}{% for i in q %}{% set _ = q.append(i) %}{% endfor %}");
  expect_refused("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}");
  expect_refused(
      "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}");
}

TEST(HostileTemplate, BuildsNoHugeTexts) {
  expect_refused("{{ 'x' * 10**9 }}");
  expect_refused("{{ 'x' * 9223372036854775807 }}");
  expect_refused("{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(60) %}{% set ns.s = ns.s "
                 "~ ns.s %}{% endfor %}");
  expect_refused("{{ ('x' * 100000)|replace('x', 'y' * 100000) }}");
  expect_refused("{{ ['x' * 1000000] * 100 }}");
  expect_refused("{{ (['x' * 1000000] * 100)|join }}");
  expect_refused("{{ '%1000000000d' % 1 }}");
  expect_refused("{{ '{:1000000000}'.format(1) }}");
  expect_refused("{{ 'x'.center(1000000000) }}");
  expect_refused("{{ 'a\\nb'|indent(1000000000) }}");
  expect_refused("{{ [1]|tojson(indent=1000000000) }}");
  expect_refused("{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}");
}

TEST(HostileTemplate, FillsNoMemory) {
  expect_refused("{% set q = [] %}{% for i in range(1000) %}{% set _ = q.append('x' * 8000000 ~ i) "
                 "%}{% endfor %}");
  expect_refused("{% set ns = namespace(q=[1]) %}{% for i in range(60) %}{% set ns.q = ns.q + ns.q "
                 "%}{% endfor %}");
  expect_refused("{{ [1] * 10**12 }}");
  expect_refused("{% set q = [1] %}{% for i in range(60) %}{% set _ = q.extend(q) %}{% endfor %}");
}

TEST(HostileTemplate, LooksIntoNoValueThatHoldsItselfWithoutEnd) {
  expect_refused("{% set q = [] %}{% set _ = q.append(q) %}{{ q }}");
  expect_refused("{% set q = [] %}{% set _ = q.append(q) %}{{ q|tojson }}");
  expect_refused("{% set a = [] %}{% set b = [] %}{% set _ = a.append(b) %}{% set _ = b.append(a) "
                 "%}{{ a == b }}");
  expect_refused("{% set ns = namespace() %}{% set ns.s = ns %}{{ ns }}");
}

TEST(HostileTemplate, ComparesNoExponentialValues) {
  const std::string twice = "{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = "
                            "[ns.b, ns.b] %}{% endfor %}";
  expect_refused("{% set ns = namespace(a=[1], b=[1]) %}" + twice + "{{ ns.a == ns.b }}");
  expect_refused("{% set ns = namespace(a=[1], b=[1]) %}" + twice + "{{ ns.a < ns.b }}");
  expect_refused("{% set ns = namespace(a=[1], b=[1]) %}" + twice + "{{ ns.a }}");
}

TEST(HostileTemplate, ReachesNothingInternal) {
  expect_refused("{{ ''.__class__ }}");
  expect_refused("{{ ''['__class__'] }}");
  expect_refused("{{ ''.__class__.__mro__ }}");
  expect_refused("{{ [].__init__.__globals__ }}");
  expect_refused("{{ range.__globals__ }}");
  expect_refused("{{ ''|attr('__class__') }}");
  expect_refused("{{ [{}]|map(attribute='__class__')|list }}");
  expect_refused("{{ '{0.__class__}'.format('') }}");
  expect_refused("{{ raise_exception.__globals__ }}");
  expect_refused("{% include '/etc/passwd' %}");
  expect_refused("{% import 'os' as os %}");
}

TEST(HostileTemplate, RefusesBrokenSyntax) {
  for (const char* source :
       {"{{", "{%", "{#", "{{ ' }}", "{{ 1", "{% if", "{% if x", "{% if x %}", "{% raw %}",
        "{{ \\ }}", "{{ \x01 }}", "{{ '\\x4' }}", "{{ '\\UFFFFFFFF' }}",
        "{{ 99999999999999999999 }}", "{{ }}", "{% %}", "{{ a[ }}", "{{ \xff }}"}) {
    expect_refused(source);
  }
}

TEST(HostileTemplate, OverflowsNoInteger) {
  for (const char* source :
       {"{{ 9223372036854775807 + 1 }}", "{{ -9223372036854775807 - 2 }}", "{{ 2 ** 63 }}",
        "{{ 3 ** 10**12 }}", "{{ 9223372036854775807 * 2 }}", "{{ 1e300|int }}",
        "{{ '99999999999999999999'|int }}", "{{ (-9223372036854775807 - 1) // -1 }}",
        "{{ -(-9223372036854775807 - 1) }}", "{{ (-9223372036854775807 - 1)|abs }}"}) {
    expect_refused(source);
  }
}

TEST(HostileTemplate, TakesExtremeBoundsOfSlices) {
  const std::string low = "-9223372036854775807 - 1";
  EXPECT_EQ(render("{{ 'abc'[" + low + ":9223372036854775807] }}{{ 'abc'[::" + low +
                   "] }}{{ [1, 2][::9223372036854775807] }}"),
            "abcc[1]");
}

TEST(HostileTemplate, RefusesConversationsNestedTooDeeply) {
  json deep = json::array();
  for (int i = 0; i < 5'000; ++i) {
    json outer = json::array();
    outer.push_back(std::move(deep));
    deep = std::move(outer);
  }
  EXPECT_THROW(render("{{ x }}", {{"x", deep}}), template_error);
}

TEST(HostileTemplate, TakesTextThatIsNoUtf8) {
  const json context = {{"x", std::string("a\xff\xc3z\xe2\x82")}};
  EXPECT_EQ(render("{{ x|upper }}{{ x|length }}{{ x[::-1] }}", context), "A\xff\xc3Z\xe2\x82"
                                                                         "6\x82\xe2z\xc3\xff"
                                                                         "a");
}

TEST(HostileTemplate, KeepsToSmallerLimits) {
  const template_limits limits{.nesting = 10, .steps = 100, .output_bytes = 64};
  EXPECT_EQ(render("{{ 1 }}", {}, limits), "1");
  EXPECT_THROW(render(repeated("{% if 1 %}", 3) + std::string(60, 'x'), {}, limits),
               template_error);
  EXPECT_THROW(render("{{ 'x' * 65 }}", {}, limits), template_error);
  EXPECT_THROW(render("{% for i in range(99) %}{% endfor %}", {}, limits), template_error);
}

TEST(HostileTemplate, SurvivesItsDeepestRecursionOnASmallStack) {
  std::string message;
  std::thread([&] {
    try {
      render("{% macro m(k) %}{% for i in [1] %}{% if true %}{{ '' ~ (m(k + 1)|upper) }}{% endif "
             "%}{% endfor %}{% endmacro %}{{ m(0) }}");
    } catch (const template_error& error) {
      message = error.what();
    }
  }).join();
  EXPECT_NE(message.find("nested too deeply"), std::string::npos) << message;
}

} // namespace
} // namespace troupe
