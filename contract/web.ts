/** How a page in a browser opens its socket: the names that the web host and the page agree on. */

/** The WebSocket's protocol; the second one offered is the secret. */
export const SOCKET_PROTOCOL = "megabyte"
/** Name of the page's <meta> with the secret, and of its place in the browser's storage. */
export const SOCKET_SECRET = "megabyte-socket"
