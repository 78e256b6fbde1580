// Serves the built OHIF viewer, and Orthanc's DICOMweb below the same origin, as sites set it up.

import { createServer, request, Agent } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};
const COMPRESSED = new Set([".html", ".js", ".mjs", ".css", ".json", ".svg", ".wasm"]);

/** OHIF's settings: its own defaults, with Orthanc as the data source. */
const settings = (origin) => `window.config = ${JSON.stringify({
  routerBasename: null,
  extensions: [],
  modes: [],
  customizationService: {},
  showStudyList: true,
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: false,
  showLoadingIndicator: true,
  investigationalUseDialog: { option: "never" },
  strictZSpacingForVolumeViewport: true,
  maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 25 },
  defaultDataSourceName: "orthanc",
  dataSources: [
    {
      namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
      sourceName: "orthanc",
      configuration: {
        friendlyName: "Orthanc",
        name: "Orthanc",
        wadoUriRoot: `${origin}/wado`,
        qidoRoot: `${origin}/dicom-web`,
        wadoRoot: `${origin}/dicom-web`,
        qidoSupportsIncludeField: false,
        imageRendering: "wadors",
        thumbnailRendering: "wadors",
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        dicomUploadEnabled: false,
        omitQuotationForMultipartRequest: true,
      },
    },
  ],
})};`;

/** Serves `folder` (the `dist` of @ohif/app) and passes /dicom-web/ on to Orthanc at `archive` (host:port). */
export async function serveOhif(folder, archive) {
  const [host, port] = archive.split(":");
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const files = new Map();
  const read = async (path) => {
    if (!files.has(path)) {
      const bytes = await readFile(join(folder, path));
      const small = COMPRESSED.has(extname(path)) ? gzipSync(bytes) : null;
      files.set(path, { bytes, small });
    }
    return files.get(path);
  };
  let ended = 0;
  const open = new Set();
  const server = createServer(async (question, answer) => {
    const { pathname } = new URL(question.url, "http://localhost");
    if (pathname.startsWith("/dicom-web/") || pathname === "/wado") {
      const options = { host, port, agent, method: question.method, path: question.url };
      const passed = request({ ...options, headers: { ...question.headers } }, (from) => {
        answer.writeHead(from.statusCode, from.headers);
        from.pipe(answer);
      });
      passed.on("error", () => answer.writeHead(502).end());
      question.pipe(passed);
      return;
    }
    if (pathname === "/app-config.js") {
      answer.writeHead(200, { "content-type": TYPES[".js"] });
      answer.end(settings(`http://${question.headers.host}`));
      return;
    }
    const path = normalize(decodeURIComponent(pathname));
    // Addresses within the viewer are no files: the page finds its way.
    const name = extname(path) ? path : "/index.html";
    try {
      const { bytes, small } = await read(name);
      const headers = { "content-type": TYPES[extname(name)] ?? "application/octet-stream" };
      if (small) headers["content-encoding"] = "gzip";
      answer.writeHead(200, headers);
      answer.end(small ?? bytes);
    } catch {
      answer.writeHead(404).end();
    }
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => {
      open.delete(socket);
      ended += socket.bytesWritten;
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Bytes that it has sent. */
    sent: () => [...open].reduce((sum, socket) => sum + socket.bytesWritten, ended),
    close: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  };
}
