declare module "audio-type" {
  /** The kind of sound a file is by its first bytes ("wav", "mp3", "oga" …); reads the whole buffer behind a view. */
  export default function audioType(bytes: Uint8Array): string | undefined
}
