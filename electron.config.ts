import { join } from "node:path"
import react from "@vitejs/plugin-react"
import { defineConfig, type UserConfig } from "vite"

/**
 * Plain Vite, one mode a part: `vite build --mode renderer|main|preload`. electron-vite would do the same, but fails
 * where Electron's binary is missing, and there the app must build too.
 */
const here = (path: string) => join(import.meta.dirname, path)
const external = [
  "electron",
  // Native code and WebAssembly, which find their own files beside them.
  "onnxruntime-node",
  "sharp",
  /^@audio\/decode-/,
  "libflacjs",
  "@alexanderolsen/libsamplerate-js",
  /^node:/,
]

const parts: Record<string, UserConfig> = {
  renderer: {
    root: here("renderer"),
    base: "./",
    publicDir: here("assets/public"),
    plugins: [react()],
    // Read from this machine: the size of a piece does not matter.
    build: { outDir: here("dist/renderer"), emptyOutDir: true, chunkSizeWarningLimit: 4000 },
  },
  main: {
    root: here("."),
    publicDir: false,
    ssr: { noExternal: true },
    build: {
      ssr: true,
      target: "node22",
      outDir: here("dist/main"),
      emptyOutDir: true,
      rollupOptions: {
        external,
        input: {
          main: here("main/electron/main.ts"),
          engine: here("main/engine/main.ts"),
          media: here("main/host/media/process.ts"),
        },
        output: { format: "es", entryFileNames: "[name].js" },
      },
    },
  },
  // A sandboxed preload can only be CommonJS.
  preload: {
    root: here("."),
    publicDir: false,
    build: {
      ssr: true,
      outDir: here("dist/main"),
      emptyOutDir: false,
      rollupOptions: {
        external,
        input: here("main/electron/preload.ts"),
        output: { format: "cjs", entryFileNames: "preload.cjs" },
      },
    },
  },
}

export default defineConfig(({ mode }) => parts[mode] ?? {})
