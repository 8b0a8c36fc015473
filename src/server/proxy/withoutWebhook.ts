/** The members of a job that hold the URL of its webhook. */
const WEBHOOKS: readonly unknown[] = ['webhook', 'webhookV2'];

/**
 * A text of the service without the URL of the job's webhook, which only the server may know. The rest stays as it is written,
 * with numbers that JavaScript cannot hold.
 */
export function withoutWebhook(text: string): string {
  if (!text.includes('"webhook')) return text;
  try {
    const { webhook, webhookV2 } = Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
    if (webhook === undefined && webhookV2 === undefined) return text;
  } catch {
    return text;
  }
  const others = membersOf(text).filter((member) => !WEBHOOKS.includes(nameOf(member)));
  return `{${others.join(',')}}`;
}

/** The members of a JSON object, as they are written. */
function membersOf(text: string): string[] {
  const members: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') at = endOfString(text, at);
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    const isEnd = depth === 0 ? character === '}' : depth === 1 && character === ',';
    if (isEnd) members.push(text.slice(start, at));
    if (isEnd || (depth === 1 && character === '{')) start = at + 1;
  }
  return members;
}

function nameOf(member: string): unknown {
  const start = member.indexOf('"');
  return JSON.parse(member.slice(start, endOfString(member, start) + 1));
}

/** Where the string ends that begins at an index. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
  return at;
}
