/** Whether this server itself lives, whatever is behind it. */
export default defineEventHandler(() => "ok\n");
