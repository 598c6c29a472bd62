/** Where the console lives, by the partition that an ARN names. */
const consoles: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/** The page of an execution in the AWS console. */
export function executionLink(executionArn: string): string {
  const [, partition = 'aws', , region = ''] = executionArn.split(':');
  const host = consoles[partition] ?? consoles.aws;
  // Regions of the other partitions have no console of their own name.
  const address = partition === 'aws' ? `${region}.${host}` : host;
  return `https://${address}/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}
