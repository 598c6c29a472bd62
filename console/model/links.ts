/** Where the console lives, by the partition that an ARN names. */
const consoles: Readonly<Record<string, string>> = {
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/** The page of an execution in the AWS console. */
export function executionLink(executionArn: string): string {
  const { address, region } = consoleOf(executionArn);
  return `${address}/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}

/**
 * The log groups of a function in the CloudWatch console. CloudFormation names function and log group after the same
 * place in the stack, `…PhasesCheckSiteFunction0A1B…` and `…PhasesCheckSiteLogs2C3D…`, and cuts long names at their end;
 * so what stands before `Function` finds the log group.
 */
export function functionLogLink(functionArn: string): string {
  const { address, region } = consoleOf(functionArn);
  const name = functionNameOf(functionArn);
  const start = name.includes('Function') ? name.slice(0, name.lastIndexOf('Function')) : name.replace(/-[^-]*$/, '');
  return `${address}/cloudwatch/home?region=${region}#logsV2:log-groups$3FlogGroupNameFilter$3D${encodeURIComponent(start)}`;
}

/** `arn:…:function:<name>`, with a version or alias or without. */
export function functionNameOf(functionArn: string): string {
  return functionArn.split(':')[6] ?? functionArn;
}

function consoleOf(arn: string): { address: string; region: string } {
  const [, partition = 'aws', , region = ''] = arn.split(':');
  // Regions of the other partitions have no console of their own name.
  const host = consoles[partition] ?? `${region}.console.aws.amazon.com`;
  return { address: `https://${host}`, region };
}
