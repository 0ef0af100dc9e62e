// Asks one question and prints the answer as it comes. Needs nothing but Node 20.
//
//   node chat.mjs [--url http://127.0.0.1:8000] QUESTION
//
// The key, where the server asks for one, is taken from OPENAI_API_KEY.
import { parseArgs } from "node:util";

/** The answer's text, piece by piece. Throws with the server's words where there is none. */
async function* pieces(url, question) {
  const headers = { "Content-Type": "application/json" };
  if (process.env.OPENAI_API_KEY) headers.Authorization = `Bearer ${process.env.OPENAI_API_KEY}`;
  const answer = await fetch(new URL("/v1/chat/completions", url), {
    method: "POST",
    headers,
    body: JSON.stringify({ messages: [{ role: "user", content: question }], temperature: 0, stream: true }),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${(await answer.json()).error.message}`);
  const text = new TextDecoder();
  let rest = "";
  for await (const bytes of answer.body) {
    const lines = (rest + text.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ") || line === "data: [DONE]") continue;
      const event = JSON.parse(line.slice(6));
      if (event.error) throw new Error(event.error.message);
      for (const choice of event.choices) yield choice.delta.content ?? "";
    }
  }
}

const { values, positionals } = parseArgs({
  options: { url: { type: "string", default: "http://127.0.0.1:8000" } },
  allowPositionals: true,
});
if (positionals.length !== 1) {
  console.error("usage: node chat.mjs [--url URL] QUESTION");
  process.exit(2);
}
try {
  for await (const piece of pieces(values.url, positionals[0])) process.stdout.write(piece);
  process.stdout.write("\n");
} catch (problem) {
  console.error(`chat.mjs: ${problem.cause?.message ?? problem.message}`);
  process.exitCode = 1;
}
