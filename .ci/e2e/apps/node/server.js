// A frontend: its health, and a page with what the backend says. It knows the backend by its Service Connect name only.
const http = require("http");

const port = 3000;
const backend = process.env.BACKEND_URL;

if (process.argv[2] === "probe") {
  const request = http.get({ port, path: "/api/health" }, (reply) => process.exit(reply.statusCode === 200 ? 0 : 1));
  request.on("error", () => process.exit(1));
} else {
  serve();
}

function serve() {
  const server = http.createServer(async (request, reply) => {
    try {
      if (request.url === "/api/health") {
        return json(reply, { status: "UP", service: "frontend", version: process.env.VERSION });
      }
      const answer = await (await fetch(`${backend}/api/greeting`)).json();
      reply.setHeader("Content-Type", "text/html");
      reply.end(`<p>${answer.greeting}, from version ${answer.version}</p>`);
    } catch (error) {
      reply.statusCode = 502;
      reply.end(`the backend: ${error.cause || error}`);
    }
  });
  process.on("SIGTERM", () => {
    console.log("asked to stop");
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
  server.listen(port, () => console.log(`listening, version ${process.env.VERSION}`));
}

function json(reply, body) {
  reply.setHeader("Content-Type", "application/json");
  reply.end(JSON.stringify(body));
}
