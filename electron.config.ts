import react from "@vitejs/plugin-react"
import { defineConfig, type UserConfig } from "vite"

/**
 * Plain Vite, one mode a part: `vite build --mode renderer|main|preload`. electron-vite would do the same, but fails
 * where Electron's binary is missing, and there the app must build too.
 */
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
    root: "renderer",
    base: "./",
    publicDir: "../assets/public",
    plugins: [react()],
    build: { outDir: "../dist/renderer", emptyOutDir: true },
  },
  main: {
    publicDir: false,
    ssr: { noExternal: true },
    build: {
      ssr: true,
      target: "node22",
      outDir: "dist/main",
      emptyOutDir: true,
      rollupOptions: {
        external,
        input: {
          main: "main/electron/main.ts",
          engine: "main/engine/main.ts",
          media: "main/host/media/process.ts",
        },
        output: { format: "es", entryFileNames: "[name].js" },
      },
    },
  },
  // A sandboxed preload can only be CommonJS.
  preload: {
    publicDir: false,
    build: {
      ssr: true,
      outDir: "dist/main",
      emptyOutDir: false,
      rollupOptions: {
        external,
        input: "main/electron/preload.ts",
        output: { format: "cjs", entryFileNames: "preload.cjs" },
      },
    },
  },
}

export default defineConfig(({ mode }) => parts[mode] ?? {})
