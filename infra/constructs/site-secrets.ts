import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';

/** Secrets of the site itself. Each store and the database keep their own. */
export class SiteSecrets extends Construct {
  /** JSON with `username` and `password` of Moodle's first administrator. */
  readonly administrator: secretsmanager.ISecret;
  /** Without it an anonymous visitor gets Moodle's upgrade screens. */
  readonly upgradeKey: secretsmanager.ISecret;

  constructor(
    scope: Construct,
    id: string,
    { site, adminUser }: { readonly site: string; readonly adminUser: string },
  ) {
    super(scope, id);
    this.administrator = new secretsmanager.Secret(this, 'Administrator', {
      description: `Moodle administrator of ${site}`,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: adminUser }),
        generateStringKey: 'password',
        passwordLength: 24,
        // Characters that shells, URLs and PHP strings give a meaning to; enough stay for Moodle's password policy.
        excludeCharacters: ' "\'`$\\@/{}<>&',
      },
    }) as secretsmanager.ISecret;
    this.upgradeKey = new secretsmanager.Secret(this, 'UpgradeKey', {
      description: `Moodle upgrade key of ${site}`,
      generateSecretString: { passwordLength: 32, excludePunctuation: true },
    }) as secretsmanager.ISecret;
    const why =
      "Moodle keeps the first administrator's password itself and compares the upgrade key: neither can be rotated from outside.";
    acknowledge(this, 'AwsSolutions-SMG4', why);
    acknowledge(this, 'NIST.800.53.R5-SecretsManagerRotationEnabled', why);
  }
}
