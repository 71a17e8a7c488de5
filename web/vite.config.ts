import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Files that the service worker need not keep at once: what only WebGPU or a language model needs, what visitors take with them, what is for others. */
const LATER = /(webgpu|llm).*\.wasm$|^archer\/|^(sw\.js|licences\.txt|preview\.png)$/;

/** Tells the service worker which files the build has. */
function listFiles(): Plugin {
  let folder = "";
  return {
    name: "archer:list-files",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    closeBundle() {
      const all = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
        .sort();
      const files = all.filter((file) => !LATER.test(file));
      const hash = createHash("sha256");
      for (const file of all) hash.update(file).update(readFileSync(join(folder, file)));
      const script = readFileSync(join(folder, "sw.js"), "utf8")
        .replace("__FILES__", JSON.stringify(["./", ...files]))
        .replace("__BUILD__", JSON.stringify(hash.digest("hex").slice(0, 16)));
      writeFileSync(join(folder, "sw.js"), script);
    },
  };
}

/** The one script that stands in a document of ours: that of the frame for worlds. The page's policy names it by its hash. */
function allowFrameScript(): Plugin {
  const hash = createHash("sha256").update(readFileSync(here("src/make/frame.js"))).digest("base64");
  return { name: "archer:allow-frame-script", transformIndexHtml: (html) => html.replace("__FRAME_SCRIPT__", `'sha256-${hash}'`) };
}

/** The package as it is, for the projects that visitors take with them: what it needs on the CPU. */
const PACKAGE_FILES = readdirSync(here("../pkg/dist"))
  .filter((file) => /^(cpu\.js|archer-worker-cpu\.js|shared-\w+\.js|archer-cpu_bg\.wasm)$/.test(file))
  .sort();

function packageFiles(): Plugin {
  return {
    name: "archer:package-files",
    apply: "build",
    generateBundle() {
      for (const file of PACKAGE_FILES) {
        this.emitFile({ type: "asset", fileName: `archer/${file}`, source: readFileSync(here(`../pkg/dist/${file}`)) });
      }
    },
  };
}

/** What the page is built of, and on which terms: the fonts' licence wants to go with them. */
function licences(): Plugin {
  const parts = ["preact", "@preact/signals", "@preact/signals-core", "uplot", "@fontsource-variable/inter", "@fontsource-variable/newsreader", "fflate",
    ...["autocomplete", "commands", "lang-javascript", "language", "lint", "state", "view"].map((part) => `@codemirror/${part}`),
    ...["common", "highlight", "javascript", "lr"].map((part) => `@lezer/${part}`),
    ...["@marijn/find-cluster-break", "crelt", "style-mod", "w3c-keyname"],
  ];
  return {
    name: "archer:licences",
    apply: "build",
    generateBundle() {
      const texts = parts.map((part) => `${part}\n\n${readFileSync(here(`node_modules/${part}/LICENSE`), "utf8").trim()}\n`);
      this.emitFile({ type: "asset", fileName: "licences.txt", source: texts.join(`\n${"-".repeat(72)}\n\n`) });
    },
  };
}

/** While developing, Vite puts styles and scripts into the page, which the built page's policy forbids. */
function relaxPolicy(): Plugin {
  return {
    name: "archer:relax-policy",
    apply: "serve",
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ""),
  };
}

// Plain static files that work under any path: every address in them is relative.
export default defineConfig({
  base: "./",
  plugins: [allowFrameScript(), licences(), packageFiles(), listFiles(), relaxPolicy()],
  define: { __PACKAGE_FILES__: JSON.stringify(PACKAGE_FILES) },
  // A worker inside a package cannot be found once the package is packed up for development.
  optimizeDeps: { exclude: ["archer-web"] },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: here("index.html"), fetch: here("fetch.html"), sw: here("src/sw.ts") },
      output: { entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  worker: { format: "es" },
  // The package lies beside this folder: linked to, and not copied.
  server: { fs: { allow: [here("."), here("../pkg")] } },
});
