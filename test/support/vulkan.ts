import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { unpackedChromium } from "./chromium.ts"

/** A Vulkan driver in software, on which the GPU's graphs are tested. */
export type SoftwareDriver = {
  /** Whether it computes in fp16. */
  half: boolean
  /** What a process needs in its environment from its start on to find it. */
  env: Record<string, string>
}

/**
 * lavapipe where the system has one with Vulkan 1.4 (Mesa 25), else the SwiftShader that npm or Debian's chromium
 * brings; SwiftShader has no fp16 and takes several times as long.
 */
export function softwareDriver(): SoftwareDriver | undefined {
  const lavapipe = systemLavapipe()
  if (lavapipe) return { half: true, env: named(lavapipe) }
  const unpacked = unpackedChromium()
  if (unpacked) return { half: false, env: { ...named(unpacked.driver), LD_LIBRARY_PATH: unpacked.loader } }
  const debian = "/usr/lib/chromium/vk_swiftshader_icd.json"
  return existsSync(debian) ? { half: false, env: named(debian) } : undefined
}

/** Its description, under the new and the old name of the loader's variable. */
const named = (file: string) => ({ VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file })

function systemLavapipe(): string | undefined {
  const folder = "/usr/share/vulkan/icd.d"
  return (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => name.startsWith("lvp_icd"))
    .map((name) => join(folder, name))
    .find((file) => {
      const { ICD } = JSON.parse(readFileSync(file, "utf8")) as { ICD: { api_version: string } }
      const [major = 0, minor = 0] = ICD.api_version.split(".").map(Number)
      return major > 1 || minor >= 4
    })
}
