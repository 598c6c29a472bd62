import { describe, expect, it } from 'vitest';
import { ConfigError, type OptionName, options, readConfig } from '../../infra/config.ts';
import { profiles } from '../../infra/profiles.ts';
import { existingNetwork } from './synthesised.ts';

const zone = { domainName: 'moodle.example.org', hostedZoneId: 'Z0123', hostedZoneName: 'example.org' };
const examDay = { examDayStart: 'cron(30 7 15 6 ? 2027)', examDayEnd: 'cron(0 12 15 6 ? 2027)' };

describe('readConfig', () => {
  it('takes the defaults for development when nothing is given', () => {
    const config = readConfig({});

    expect(config).toMatchObject({
      config: 'dev',
      site: 'demo',
      allowHttp: true,
      keepData: false,
      sessionStore: 'redis',
    });
  });

  it('takes the other defaults with config=prod', () => {
    const config = readConfig({ config: 'prod', allowHttp: 'true' });

    expect(config).toMatchObject({ config: 'prod', site: 'moodle', keepData: true, databaseBackupDays: 14 });
  });

  it('reads numbers, lists and yes or no out of text', () => {
    const config = readConfig({
      maximumNodes: '4',
      databaseMinCapacity: '1.5',
      keepData: 'true',
      allowHttp: 'true',
      region: 'us-east-1',
      availabilityZones: 'us-east-1c,us-east-1d,us-east-1f',
    });

    expect(config).toMatchObject({
      maximumNodes: 4,
      databaseMinCapacity: 1.5,
      keepData: true,
      availabilityZones: ['us-east-1c', 'us-east-1d', 'us-east-1f'],
    });
  });

  it('takes numbers and booleans from cdk.json as they are', () => {
    expect(readConfig({ maximumNodes: 4, keepData: true })).toMatchObject({ maximumNodes: 4, keepData: true });
  });

  it('reads "false" as false', () => {
    expect(() => readConfig({ allowHttp: 'false' })).toThrow(/-c allowHttp=true/);
  });

  it("passes over CDK's own context", () => {
    const context = {
      'aws:cdk:enable-path-metadata': true,
      '@aws-cdk/core:newStyleStackSynthesis': true,
      '@aws-cdk-containers/ecs-service-extensions:enableDefaultLogDriver': true,
      'aws-cdk:enableDiffNoFail': 'true',
      'vpc-provider:account=123456789012:filter.isDefault=true:region=eu-west-1': {},
      'acknowledged-issue-numbers': [12345],
      'cli-telemetry': false,
    };

    expect(readConfig(context)).toEqual(readConfig({}));
  });

  it('refuses an option that does not exist, and names those that do', () => {
    const refused = refusal({ enableCloudFront: 'false' });

    expect(refused).toContain('There is no option enableCloudFront.');
    expect(refused).toContain(Object.keys(options).join(', '));
  });

  it('does not take a property of every object for an option', () => {
    expect(refusal({ constructor: 'x' })).toContain('There is no option constructor.');
  });

  const bad: Readonly<Record<keyof typeof options, readonly unknown[]>> = {
    config: ['production', 'DEV', ''],
    profile: ['tiny', 'Small'],
    site: ['Demo', 'd', '-demo', 'demo-', 'a'.repeat(21), 'de mo', 'demo/x'],
    region: ['europe', 'eu-west', 'EU-WEST-1'],
    availabilityZones: ['eu-west-1', 'eu-west-1a,eu-west-1a', 'eu-west-1a, eu-west-1b', ''],
    nodeZones: ['0', '4', '1.0', '-1', 'one'],
    nat: ['1', 'per zone', ''],
    interfaceEndpoints: ['all', 'no'],
    flowLogs: ['ALL', '1'],
    vpcCidr: [
      '10.0.0.0/8',
      '10.0.1.0/16',
      '11.0.0.0/16',
      '172.32.0.0/16',
      '192.168.16.0/19',
      '10.0.0.0/20',
      '10.0.0.0',
    ],
    vpcId: ['vpc-1', 'default', 'vpc-0123456789abcdefg'],
    publicSubnetIds: ['subnet-1', 'subnet-01234567,', 'vpc-01234567'],
    nodeSubnetIds: ['subnet-01234567, subnet-11234567', ''],
    dataSubnetIds: ['subnet-01234567,subnet-01234567', 'sg-01234567'],
    phpVersion: ['8.3', '8', 'php8.4'],
    moodleVersion: ['4.4', '5.4', '5', 'latest', '5.3.x'],
    moodleChecksum: ['abc', 'A'.repeat(64), `${'a'.repeat(64)} moodle.tgz`],
    architecture: ['x86', 'ARM64'],
    domainName: ['https://moodle.example.org', 'Moodle.example.org', 'localhost', 'moodle.example.org/'],
    certificateArn: ['arn:aws:iam::123456789012:server-certificate/x', 'certificate'],
    hostedZoneId: ['example.org', 'z0123'],
    hostedZoneName: ['example', 'example.org.'],
    stickiness: ['on'],
    cloudFront: ['yes', ''],
    cloudFrontOrigin: ['public', 'oac'],
    cloudFrontCertificateArn: ['certificate'],
    cloudFrontPrefixList: ['com.amazonaws.global.cloudfront.origin-facing', 'pl-x'],
    originTimeoutSeconds: ['0', '181'],
    waf: ['1'],
    wafRateLimit: ['99', '2000001', 'none'],
    allowHttp: ['yes', '1', 'TRUE', '', {}],
    defaultNodes: ['0', '51', '2.5', ' 2', ''],
    maximumNodes: ['0', '51', 'many', '1e1', '0x2'],
    compute: ['EC2', 'lambda'],
    instanceType: ['m7g', 'm5.large', 'm7g.metal'],
    onDemandBase: ['0', '51'],
    onDemandWeight: ['-1', '101'],
    spotWeight: ['101', 'all'],
    taskCpu: ['1', '1000', '2 vCPU'],
    taskMemory: ['511', '200000', '2GB'],
    cpuTargetPercent: ['9', '91', '50%'],
    requestsPerTarget: ['9', '100001'],
    scaleOutPercent: ['19', '96'],
    scaleInPercent: ['4', '81'],
    examDayStart: ['30 7 15 6 ? 2027', 'cron(30 7 15 6 ?)', 'rate(1 day)', "cron(30 7 15 6 ? 2027'; x)"],
    examDayEnd: ['at(2027-06-15T12:00:00)', 'noon'],
    examDayNodes: ['1', '51'],
    timeZone: ['Europe/Atlantis', 'europe/berlin', '', '+02:00'],
    stopTimeoutSeconds: ['29', '121'],
    ecsExec: ['on', '1'],
    healthGraceSeconds: ['29', '1801', '2m'],
    installHealthGraceSeconds: ['299', '28801'],
    deregistrationDelaySeconds: ['9', '120'],
    databaseEngine: ['postgres', 'aurora', 'MySQL'],
    databaseVersion: ['17', 'latest', '8.4.mysql_aurora', 'v17.7'],
    tablePrefix: ['', 'mdl-', 'MDL_', '1_', 'department_'],
    databaseAccess: ['pg', 'dataapi'],
    databaseCapacity: ['serverless-v2', ''],
    databaseInstanceType: ['t4g.medium', 'db.large', 'cache.t4g.micro'],
    databaseReader: ['1', 'yes'],
    databaseMultiAz: ['multi-az'],
    databaseStorageGiB: ['19', '65537', '20GiB'],
    databaseMaxStorageGiB: ['19', '1TB'],
    databaseMinCapacity: ['0.3', '-0.5', '257', '.5'],
    databaseMaxCapacity: ['0.5', '256.5', 'max'],
    databaseRotationDays: ['-1', '1001', 'weekly'],
    databaseBackupDays: ['0', '36'],
    sessionStore: ['database', 'valkey'],
    applicationStore: ['files', 'valkey'],
    sharedCache: ['both', '1'],
    cacheEngine: ['redis7', 'memcached'],
    cacheKind: ['node', 'Serverless'],
    cacheNodeType: ['t4g.micro', 'cache.t4g'],
    cacheReplicas: ['3', '-1'],
    filesZones: ['one', 'One-Zone'],
    filesThroughput: ['fast', 'maxIO'],
    filesProvisionedMiBps: ['0', '3415', '64MiB'],
    filesInfrequentAccessDays: ['1', '31', 'never'],
    uploadMegabytes: ['0', '2049', '512M'],
    backups: ['daily', '0'],
    backupRetentionDays: ['0', '3651', 'P35D'],
    adminUser: ['Admin', 'a b', ''],
    adminEmail: ['admin', 'a@b', 'a,b@example.com'],
    siteFullName: ['', '<b>Moodle</b>', 'line\nline'],
    siteShortName: ['', 'x'.repeat(101)],
    language: ['EN', 'english!', 'en-gb'],
    updateSchedule: ['on', '0 3 * * *', 'cron(0 3)', 'rate(0 days)', 'at(2027-06-15T12:00:00)', ''],
    updateWindowMinutes: ['-1', '1441', '1.5'],
    updateWhat: ['everything', 'plugins core', 'plugins,', ''],
    updateMaximumRisk: ['major', 'none'],
    updateApproval: ['yes', ''],
    pluginDirectoryUrl: ['download.moodle.org', 'https://download.moodle.org/', 'ftp://download.moodle.org'],
    notificationEmail: ['operator', 'a@b c.org'],
    logRetentionDays: ['0', '2', 'forever'],
    encryptLogs: ['kms', '1'],
    containerInsights: ['true', 'enabled', ''],
    accessLogs: ['yes', 's3'],
    cloudTrail: ['on', ''],
    keepData: ['no', 'RETAIN', null],
  };

  for (const [name, values] of Object.entries(bad)) {
    it(`refuses a bad ${name} and names what is allowed`, () => {
      const { allowed } = options[name as keyof typeof options];

      for (const value of values) {
        const refused = refusal({ [name]: value });

        expect(refused).toBe(`Option ${name} cannot be ${JSON.stringify(value)}. Allowed: ${allowed}.`);
      }
    });
  }

  it.each([
    [
      { updateWhat: 'plugins,core', updateMaximumRisk: 'minor' },
      'updateMaximumRisk cannot be minor with updateWhat=plugins,core. Allowed: core',
    ],
    [
      { updateWhat: 'plugins,image', updateMaximumRisk: 'patch' },
      'updateMaximumRisk cannot be patch with updateWhat=plugins,image. Allowed: minor, core',
    ],
    [{ taskCpu: '1024', taskMemory: '1024' }, 'taskMemory cannot be 1024 with taskCpu=1024. Allowed: 2048 to 8192'],
    [{ taskCpu: '256', taskMemory: '1536' }, 'taskMemory cannot be 1536 with taskCpu=256. Allowed: 512, 1024 or 2048'],
    [{ compute: 'ec2', architecture: 'x86_64' }, 'instanceType cannot be t4g.medium with architecture=x86_64'],
    [{ compute: 'ec2', taskMemory: '4096' }, 'this one has 2048 CPU units and 3584 MiB for nodes'],
    [{ onDemandWeight: '0', spotWeight: '0' }, 'spotWeight cannot be 0 with onDemandWeight=0'],
    [{ cpuTargetPercent: '0', scaleOutPercent: '75' }, 'scaleInPercent cannot be 0 with scaleOutPercent=75'],
    [{ cpuTargetPercent: '0', scaleOutPercent: '75', scaleInPercent: '60' }, 'scaleInPercent cannot be 60'],
    [{ scaleOutPercent: '75', scaleInPercent: '25' }, 'cpuTargetPercent cannot be 50 with scaleOutPercent=75'],
    [{ examDayNodes: '8' }, 'examDayStart, examDayEnd and examDayNodes need each other'],
    [{ ...examDay, examDayNodes: '8', maximumNodes: '6' }, 'examDayNodes cannot be 8 with maximumNodes=6'],
    [{ ...examDay, examDayNodes: '8', cpuTargetPercent: '0' }, 'nothing would take the nodes away'],
    [{ defaultNodes: '5', maximumNodes: '4' }, 'defaultNodes cannot be 5 with maximumNodes=4'],
    [{ databaseMinCapacity: '8', databaseMaxCapacity: '4' }, 'databaseMinCapacity cannot be 8'],
    [{ databaseEngine: 'mysql', databaseAccess: 'network', databaseVersion: '17.7' }, 'for example 8.4.9'],
    [{ databaseVersion: '8.4.9' }, 'databaseVersion cannot be "8.4.9" with databaseEngine=aurora-postgresql'],
    [
      { moodleVersion: '4.5' },
      'phpVersion cannot be 8.4 with moodleVersion=4.5, which runs on PHP 8.1 to 8.3. Allowed: 8.2',
    ],
    [{ phpVersion: '8.2' }, 'with moodleVersion=5.3, which runs on PHP 8.3 to 8.4. Allowed: 8.4'],
    [{ databaseVersion: '16.9' }, 'with databaseEngine=aurora-postgresql and moodleVersion=5.3. Allowed: at least 17'],
    [{ databaseEngine: 'aurora-mysql', databaseVersion: '8.0.mysql_aurora.3.12.0' }, 'Allowed: at least 8.4'],
    [{ databaseEngine: 'mariadb', databaseVersion: '10.11.16' }, 'Allowed: at least 11.4'],
    [{ databaseEngine: 'postgresql' }, 'Allowed: network. Only Aurora has the Data API'],
    [{ databaseStorageGiB: '100', databaseMaxStorageGiB: '105' }, 'at least a tenth more'],
    [{ databaseStorageGiB: '100', databaseMaxStorageGiB: '50' }, 'databaseMaxStorageGiB cannot be 50'],
    [{ healthGraceSeconds: '600', installHealthGraceSeconds: '300' }, 'installHealthGraceSeconds cannot be 300'],
    [{ region: 'us-east-1', availabilityZones: 'eu-west-1a,eu-west-1b' }, 'with region=us-east-1'],
    [{ availabilityZones: 'eu-west-1a' }, 'Allowed: two or three zones'],
    [{ region: 'ap-northeast-1' }, 'for example -c availabilityZones=ap-northeast-1a,ap-northeast-1c'],
    [{ region: 'us-west-1' }, 'availabilityZones is needed with region=us-west-1'],
    [{ filesZones: 'one-zone', nodeZones: '2' }, 'Allowed: regional, or nodeZones=1'],
    [{ cacheReplicas: '1' }, 'cacheReplicas cannot be 1 with nodeZones=1'],
    [{ sharedCache: 'true', sessionStore: 'memcached' }, 'sharedCache cannot be true with sessionStore=memcached'],
    [{ sharedCache: 'true', cacheKind: 'serverless' }, 'sharedCache cannot be true with cacheKind=serverless'],
    [{ applicationStore: 'memcached' }, 'image/plugins.json does not name it'],
    [{ nodeZones: '3' }, 'nodeZones cannot be 3 with 2 availability zones'],
    [{ nat: 'none' }, 'Give -c interfaceEndpoints=true, or allow a way out with -c nat=one'],
    [{ nat: 'none', interfaceEndpoints: 'true', databaseAccess: 'network' }, 'Give -c databaseAccess=data-api'],
    [{ nat: 'none', interfaceEndpoints: 'true', compute: 'ec2' }, 'Give -c compute=fargate or -c nat=one'],
    [{ vpcId: 'vpc-01234567' }, 'needs publicSubnetIds, nodeSubnetIds, dataSubnetIds, availabilityZones'],
    [{ dataSubnetIds: 'subnet-01234567' }, 'dataSubnetIds needs vpcId, publicSubnetIds, nodeSubnetIds'],
    [
      { ...existingNetwork, nodeSubnetIds: 'subnet-01234567' },
      'nodeSubnetIds cannot be "subnet-01234567" with 2 avail',
    ],
    [{ ...existingNetwork, interfaceEndpoints: 'true' }, 'interfaceEndpoints cannot be true with vpcId'],
    [{ config: 'prod' }, 'or use -c cloudFront=true, or allow it with -c allowHttp=true'],
    [{ certificateArn: certificate('eu-west-1') }, 'certificateArn needs domainName'],
    [{ hostedZoneId: 'Z0123' }, 'hostedZoneId, hostedZoneName and domainName need each other'],
    [{ hostedZoneId: 'Z0123', hostedZoneName: 'example.org' }, 'which name in it is the site'],
    [{ ...zone, domainName: 'moodle.example.com' }, 'Allowed: example.org and names that end with .example.org'],
    [{ ...zone, domainName: 'notexample.org' }, 'domainName cannot be notexample.org'],
    [{ cloudFrontCertificateArn: certificate('us-east-1') }, 'needs cloudFront=true and domainName'],
    [
      { ...zone, cloudFront: 'true', cloudFrontCertificateArn: certificate('eu-west-1') },
      'CloudFront takes certificates from us-east-1 alone',
    ],
    [{ cloudFront: 'true', domainName: 'moodle.example.org' }, 'CloudFront needs a certificate for it'],
    [
      { config: 'prod', cloudFront: 'true', cloudFrontOrigin: 'secret-header' },
      'passwords would cross the internet in the open',
    ],
    [
      { region: 'eu-central-2', cloudFront: 'true' },
      'cloudFrontPrefixList with region=eu-central-2. It is what this prints: aws ec2 describe-managed-prefix-lists',
    ],
    [{ cloudFrontPrefixList: 'pl-4fa04526' }, 'cloudFrontPrefixList needs cloudFront=true'],
    [{ domainName: 'moodle.example.org', certificateArn: certificate('us-east-1') }, 'with region=eu-west-1'],
  ])('refuses %o, which contradict each other', (context, words) => {
    expect(refusal(context)).toContain(words);
  });

  it.each([
    { moodleVersion: '5.2.4', databaseVersion: '16.13' },
    { region: 'ap-northeast-1', availabilityZones: 'ap-northeast-1a,ap-northeast-1c' },
    {
      moodleVersion: '4.5.6',
      phpVersion: '8.2',
      databaseEngine: 'aurora-mysql',
      databaseVersion: '8.0.mysql_aurora.3.12.0',
    },
    { moodleVersion: '5.1', databaseEngine: 'mariadb', databaseVersion: '10.11.16', databaseAccess: 'network' },
    { databaseEngine: 'aurora-mysql', databaseVersion: '8.4.mysql_aurora.8.4.8' },
    { databaseEngine: 'mysql', databaseAccess: 'network' },
    { ...existingNetwork, nat: 'none' },
    { vpcCidr: '192.168.224.0/19' },
    { vpcCidr: '172.31.128.0/17' },
    { databaseEngine: 'mariadb', databaseAccess: 'network' },
    { databaseEngine: 'postgresql', databaseAccess: 'network', databaseStorageGiB: '50', databaseMaxStorageGiB: '50' },
  ])('takes %o', (context) => {
    expect(readConfig(context)).not.toEqual(readConfig({}));
  });

  it('has a sentence for every option, and defaults that its own check allows', () => {
    for (const option of Object.values(options)) {
      expect(option.doc).toMatch(/^[A-Z].*\.$/);
      for (const value of [option.dev, option.prod]) {
        if (value !== undefined) expect(option.parse(String(value))).toEqual(value);
      }
    }
  });
});

function refusal(context: Readonly<Record<string, unknown>>): string {
  try {
    readConfig(context);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error(`${JSON.stringify(context)} was not refused.`);
}

function certificate(region: string): string {
  return `arn:aws:acm:${region}:123456789012:certificate/11111111-2222-3333-4444-555555555555`;
}

describe('profiles', () => {
  it.each(Object.entries(profiles))('%s sets options that there are, to values that they take', (profile, values) => {
    const config = readConfig({ config: 'prod', allowHttp: 'true', profile });

    for (const [name, value] of Object.entries(values)) expect(String(config[name as OptionName])).toBe(value);
  });

  it('gives way to what is given beside it', () => {
    const config = readConfig({ profile: 'large', defaultNodes: '5' });

    expect(config).toMatchObject({ defaultNodes: 5, maximumNodes: 24 });
  });
});
