// Answers with products, and with their order by asking another service where one is named. Run it under
// OpenTelemetry's zero-code instrumentation: NODE_OPTIONS="--require @opentelemetry/auto-instrumentations-node/register"
const http = require("node:http");
const { trace } = require("@opentelemetry/api"); // +

const PRODUCTS = ["hat", "socks", "scarf"];

async function answer() {
  trace.getActiveSpan()?.setAttribute("whence.inputs", ["s3://lake#warehouse/products@iceberg:3055"]); // +
  if (!process.env.RANKING_URL) return PRODUCTS;
  const ranking = await fetch(process.env.RANKING_URL);
  return ranking.json();
}

http
  .createServer(async (request, response) => {
    try {
      const body = JSON.stringify(await answer());
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    } catch {
      response.writeHead(502).end();
    }
  })
  .listen(Number(process.env.PORT ?? 8080), "127.0.0.1");
