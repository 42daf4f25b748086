// The first process: works, asks for approval, and ends. Prints the token that its database would keep.
import { approval, tool, withTask } from '@plumbline/instrumentation';

const quote = tool({ name: 'quote' }, async () => ({ usd: 120 }));

await withTask({ workflow: 'refund', id: 'refund-7', userId: 'mia' }, async (task) => {
  const { usd } = await quote();
  const approvalId = approval.request({ action: `refund ${usd} USD`, risk: 'high' });
  const token = task.suspend({ reason: 'over the limit', approvalId });
  process.stdout.write(JSON.stringify({ token, approvalId }));
});
