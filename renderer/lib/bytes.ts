/** Base64 <-> bytes; chunked, as a spread of a whole file would overflow the stack. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ""
  for (let i = 0; i < bytes.length; i += 32768) binary += String.fromCharCode(...bytes.subarray(i, i + 32768))
  return btoa(binary)
}

export function fromBase64(text: string): Uint8Array {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

/** A title as the name of a file on any system. */
export function fileName(title: string, extension: string): string {
  const stem = title
    .replace(/[^\p{L}\p{N} -]+/gu, "")
    .slice(0, 40)
    .trim()
  return `${stem || "output"}${extension}`
}

/** Hands bytes to the person as a file. */
export function download(name: string, mime: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes.slice()], { type: mime }))
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}

/** 1.2 kB, 3.4 MB: for people. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** A file inside its address. */
export const dataAddress = (mime: string, bytes: Uint8Array) => `data:${mime};base64,${toBase64(bytes)}`
