/* AWS service endpoints, from botocore 1.44.8. Written by build/aws_table.py: do not edit.
 *
 * Partitions, in bit order: aws, aws-cn, aws-eusc, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-us-gov.
 */

enum {
    AWS_SERVICES = 445,
    AWS_NAMES = 520,
    AWS_PATTERNS = 103,
    AWS_PARTITIONS = 8,
    AWS_REGION_PREFIXES = 16,
    AWS_DEFAULT_PARTITION = 0,
    AWS_S3 = 355,
    AWS_LIST = 0x8000,
};

static const char aws_pool[] =
    "arc-region-switch-control-plane.cn-north-1route53-recovery-control-config.us-west-2L-A.s3-accesspo"
    "int-fips.dualstack.R.Darc-recovery-control-config.us-west-2pricingplanmanager.us-east-1.api.awslic"
    "ense-manager-linux-subscriptionsR.signin-fips.amazonaws-us-gov.comlicense-manager-user-subscriptio"
    "nspartnercentral-channel-fips.us-govpartnercentral-revenue-measurementsagemaker-inference-router-r"
    "untimetraining-session-runtime.sagemakerA.control-kinesis-queues-fips.R.DA.control-kinesis-queues-"
    "fips.R.UHsignin-fips.amazonaws-us-gov.comcontrolplane.payment-cryptographyinferencerouter-runtime."
    "sagemakerL-A.s3-accesspoint.dualstack.R.Dagent-registry-control.R.api.awsA.s3-control-fips.dualsta"
    "ck.R.Dbedrock-data-automation-runtimesagemakertrainingsessionruntimeA.data-kinesis-queues-fips.R.D"
    "A.data-kinesis-queues-fips.R.Udataplane.payment-cryptographyfeaturestore-runtime.sagemakerpartnerc"
    "entral-prm-fips.us-govsagemaker-featurestore-runtimeL-A.s3-object-lambda-fips.R.DR.signin.amazonaw"
    "s-us-gov.comdatatransformation.healthlakemigration-hub-refactor-spacesnetworkmanager-fips.us-west-"
    "2partnercentral-channel.us-govA.control-kinesis-queues.R.DA.control-kinesis-queues.R.Uapi.amazonwe"
    "bservices.com.cncompute-optimizer-automationkinesis-video-archived-mediakinesis-video-webrtc-stora"
    "gemarketplacecommerceanalyticsL-A.s3-accesspoint-fips.R.DL.s3-object-lambda-fips.R.DR.signin.cspho"
    "me.hci.ic.govingest-cellC.timestream.R.DA.control-kinesis-fips.R.DA.control-kinesis-fips.R.UA.s3-c"
    "ontrol.dualstack.R.DL--op-s3.L.s3-outposts.R.DR.signin.amazonaws-eusc.euR.signin.sc2shome.sgov.gov"
    "api.iotmanagedintegrationsquery-cellC.timestream.R.Droute53-recovery-readinessroutes.geo-fips.R.us"
    "-gov.Droutes.geo-fips.R.us-gov.Uservicecatalog-appregistrysustainability-fips.us-govA.cloudfront-k"
    "vs.global.UA.data-kinesis-queues.R.DA.data-kinesis-queues.R.UR.signin.csphome.adc-e.ukapplication-"
    "cost-profilerbedrock-agentcore-controlchime-sdk-media-pipelinesgateway-runtime.sagemakermigrationh"
    "ub-orchestratorpartnercentral-prm.us-govpayment-cryptography-datasagemaker-gateway-runtimeL--xa-s3"
    ".Z.dualstack.R.DL-A.s3-object-lambda.R.Dagent-registry.R.api.awsapi-fulfill.dataexchangeapi.amazon"
    "webservices.eucloudfront-keyvaluestoreiot-managed-integrationsmigrationhuborchestratornetwork-secu"
    "rity-managernetworkmanager.us-west-2partnercentral-marketingresourcegroupstaggingapiroute53-recove"
    "ry-clusterA.data-kinesis-fips.R.DA.data-kinesis-fips.R.UB.s3-fips.dualstack.R.DL--x-s3.Z.dualstack"
    ".R.DR.signin.aws.amazon.comR.signin.c2shome.ic.govapigatewaymanagementapiapplication-autoscalingap"
    "plicationcostprofilerbcm-recommended-actionsentitlement-marketplaceentitlement.marketplacekinesis-"
    "video-signalingmanagedblockchain-querymarketplace-entitlementpartnercentral-benefitsruntime-medica"
    "l-imagingsupport-fips.cn-north-1A.streams-ddb-fips.R.DA.streams-ddb-fips.R.UL-A.s3-accesspoint.R.D"
    "L.s3-object-lambda.R.Daccount-access-runtimeapi.cloud-aws.adc-e.ukbcm-pricing-calculatorcodestar-n"
    "otificationsdeployment-marketplacemarketplace-deploymentmetrics-fips.sagemakerneptune-graph.R.on.a"
    "wsnotifications-contactspartnercentral-accountpartnercentral-sellingruntime-fips.sagemakersnow-dev"
    "ice-managementstreaming.health-agentsubscribe.mediaconvertworkspaces-thin-clientA.control-kinesis."
    "R.DA.control-kinesis.R.UA.s3-control-fips.R.DL-A.L.s3-outposts.R.DR.signin.amazonaws.cna2i-runtime"
    ".sagemakeragreement-marketplacebedrock-agent-runtimecontrol-storage-omicscost-optimization-hubdata"
    "-servicediscoverydiscovery-marketplacejob-runtime.sagemakermarketplace-agreementmarketplace-discov"
    "erymarketplace-reportingmedia-pipelines-chimemigrationhub-strategynotificationscontactspinpoint-sm"
    "s-voice-v2reporting-marketplaceroute53globalresolverroutes.geo.R.us-gov.Droutes.geo.R.us-gov.Usage"
    "maker-a2i-runtimesustainability.us-govwellarchitected-agentN-fips.dualstack.R.DR.elasticmapreduce."
    "DR.elasticmapreduce.Uapi.iotdeviceadvisorapplication-insightscodestar-connectionsconnect-contact-l"
    "ensec2-instance-connectelasticloadbalancingmetering-marketplacemetering.marketplacemigrationhubstr"
    "ategyopensearchserverlesspricing-plan-managerruntime.health-agentsagemaker-geospatialworkspaces-in"
    "stancesA.eventsv2-fips.R.DA.eventsv2-fips.R.Uapplication-signalsapplicationinsightscatalog-marketp"
    "lacecatalog.marketplacechime-sdk-messagingelemental-inferencekinesis-video-mediamanagement.deadlin"
    "emarketplace-catalogmeteringmarketplacemigrationhub-configmonitor.iotsitewiseparticipant.connectpe"
    "rsonalize-runtimequery-lakeformationredshift-serverlessresource-explorer-2sagemakerjobruntimesched"
    "uling.deadlinetimestream-influxdbverifiedpermissionsworkmailmessageflowA.data-kinesis.R.DA.data-ki"
    "nesis.R.UB.s3.dualstack.R.DR.oauth.signin.awsairflow-serverlessapi-fips.sagemakerapi.aws.hci.ic.go"
    "vapi.sustainabilitychime-sdk-identitychime-sdk-meetingsconnectcampaignsv2connectparticipantdata-la"
    "keformationelementalinferenceend-user-messagingiotsecuretunnelingkinesisanalyticsv2networkflowmoni"
    "torobservabilityadminpca-connector-sceppersonalize-eventssms-voice.pinpointsupport.cn-north-1A.str"
    "eams-ddb.R.DA.streams-ddb.R.UR.neptune-graph.Dapi.iot-tunnelingapi.tunneling.iotautoscaling-plansa"
    "ws-us-gov-globalcassandra-streamscloudsearchdomaincodeguru-profilercodeguru-reviewercodeguru-secur"
    "itycomprehendmedicalconnect-campaignsconnectschedulingcp.geofencing.geocustomer-profilesdata.iottw"
    "inmakerelasticfilesystemglobalacceleratoringest.timestreammetrics.sagemakers3express-controlsagema"
    "ker-metricssagemaker-runtimetimestream-ingestA.s3-control.R.DA.search-ddb.R.DA.search-ddb.R.Uamazo"
    "naws.com.cnamplifyuibuilderapi.iottwinmakerapp-integrationsaws-iso-b-globalaws-iso-e-globalaws-iso"
    "-f-globalbcm-data-exportsbillingconductorcodeguruprofilercognito-identitydata.iotsitewiseelasticbe"
    "anstalkendusermessagingentityresolutionkeyspacesstreamslookoutequipmentmediapackage-vodnetwork-fir"
    "ewallopensearchmemorypca-connector-adquery.timestreamramus-gov-east-1ramus-gov-west-1runtime-fips."
    "lexsocial-messagingstreams-dynamodbstreams.dynamodbtimestream-querytimestream-writeN-fips.global.U"
    "N.dualstack.R.Daccess-analyzeragent-discoveryanalytics-omicsapi.iotsitewiseapi.iotwirelessapi.medi"
    "atailorappintegrationsarc-zonal-shiftaws-eusc-globalbedrock-runtimechime-sdk-voicecloudcontrolapic"
    "loudtrail-datacloudwatch-omnicodeconnectionscp.metadata.geocp.tracking.geodata.mediastorefips.tran"
    "scribegameliftstreamsinternetmonitorlambda-microvmsmachinelearningmediastore-datamessaging-chimemo"
    "dels-fips.lexmturk-requestermwaa-serverlessresiliencehubv2resource-groupsroute53profilesroute53res"
    "olversearch-dynamodbsocialmessagingus-isof-south-1workflows-omicsA.eventsv2.R.DA.eventsv2.R.UL--xa"
    "-s3.Z.R.Daccessanalyzeraco-automationamplifybackendapi.aws.ic.govapi.aws.scloudapi.ecr-publicapi.t"
    "hinclientaws-iso-globalbackup-gatewaybcm-dashboardscloud.adc-e.ukclouddirectorycloudformationcloud"
    "watchomnicn-northwest-1controlcatalogcsp.hci.ic.govedge.sagemakeremr-containersemr-serverlesseu-is"
    "oe-west-1eusc-de-east-1iam.cn-north-1identity-chimeinspector-scaniotthingsgraphkendra-rankingmedia"
    "packagev2meetings-chimenetworkmonitorpinpoint-emailroute53.us-govroute53domainsruntime-v2-lexsagem"
    "aker-edgesecretsmanagerserverlessreposervice-quotasssm-guiconnectssm-quicksetupstoragegatewaytrust"
    "edadvisorus-isob-east-1workspaces-webB.s3-fips.R.DL--x-s3.Z.R.Dapi.detectiveapi.sagemakerappconfig"
    "dataaws-cn-globalbackup-searchcleanrooms-mlcn.transcribeconnecthealthcp.places.geocp.routes.geodat"
    "a.jobs.iotdataplane.rumdirectconnectdocdb-elasticeventbridgev2forecastqueryfrauddetectorglobal.hea"
    "lthgroundstationidentitystoreiot-jobs-datalaunch-wizardlexv2-runtimemodels-v2-lexorganizationsosm."
    "R.api.awsredshift-datarolesanywheresc2s.sgov.govsecurityagentservicequotasssm-incidentsstepfunctio"
    "nsus-iso-east-1abuse-signalamazonaws.euapigatewayv2auditmanagerbackupsearchcleanroomsmlcodeartifac"
    "tcodecatalystcodepipelinecognito-syncconnectcasescontroltowerdata-ats.iotdata.ats.iotdatapipelined"
    "evops-agentgreengrassv2imagebuilderimportexportinterconnectiotfleetwiseivs-realtimekafkaconnectkin"
    "esisvideolaunchwizardlexv2-modelsmail-managermediaconnectsavingsplanssecuritylakessm-contactssuppo"
    "rtauthzwaf-regionaladmin.wickrapi.airflowapi.pricingcognito-idpcp.aidevopscp.maps.geodata-signerde"
    "vops-gurudp.aidevopselasticacheenv.airflowexecute-apiiam-toolboxivsrealtimelambda-corelex-runtimem"
    "ailmanagerneptunedataops.airflowrekognitionrepostspaceruntime.lexsecurity-irsecurityhubsigner-data"
    "stream-logssupplychainsupport-appsync-statestaxsettingsvoice-chimevpc-latticeN-fips.G.DN-fips.G.UN"
    "-fips.P.DN-fips.P.UN-fips.R.DN-fips.R.UN.global.DN.global.Uappstream2aws-globalc2s.ic.govcloudhsmv"
    "2codecommitcodedeploydata.qappsdevicefarmfips.batchgeo-placesgeo-routesiam.us-govinspector2lambda-"
    "weblex-modelsmodels.lexmonitoringneptune-dbportal.ssoquicksights3outpostssimpledbv2supportappsynth"
    "eticstags-omicsA.ddb.R.DA.ddb.R.UR.queue.DR.queue.Uapiportalappfabricapprunnercodebuildcontinuumgu"
    "arddutyinvoicingkafka-apilightsailmedialivememory-dbqbusinessrtbfabrics3controls3vectorsschedulers"
    "so-admintranslateB.s3-R.DB.s3.R.DN-fips.DN-fips.Uacm-acmedatabrewdatasyncdatazoneeks-authfips.eksf"
    "irehosefreetiergeo-mapsiot-datalocationmemorydbnova-actpaymentsqconnectrds-datas3tablessnowballsso"
    "-oidctextracttransfervoice-idworkdocsHB.s3.Dacm-pcaappflowappmeshbudgetschatbotglaciergrafanaivsch"
    "ats3filesschemasssm-sapvoiceidathenabraketcloud9macie2protonshieldwisdomN.G.DN.G.UN.P.UN.R.DN.R.Ua"
    "iopselbv2pipespollysesv2wafv2HN.DHN.Uaossb2bidsqlglueosisrbinxraydaxdlmdmsdrsecsefsevsfisfmsfsxkms"
    "mghmgnoampcsscnsdbsnssqsswfuxcmqmx";

static const struct piece aws_services[AWS_SERVICES] = {
    {7659, 12}, {6575, 14}, {2864, 7}, {2864, 14}, {2864, 22}, {8967, 3}, {9158, 7}, {6008, 15},
    {629, 14}, {629, 22}, {9309, 5}, {4767, 3}, {5499, 7}, {6603, 14}, {5499, 16}, {2500, 10},
    {2500, 23}, {7683, 12}, {8773, 9}, {7243, 9}, {7243, 13}, {8782, 9}, {9165, 7}, {6083, 15},
    {2523, 23}, {3863, 20}, {4161, 19}, {2546, 23}, {9172, 7}, {8791, 9}, {8487, 9}, {8360, 7}, {0, 17},
    {6098, 15}, {7735, 8}, {9242, 6}, {7695, 12}, {2535, 11}, {5078, 17}, {9351, 4}, {6687, 6},
    {6687, 14}, {7707, 12}, {8572, 5}, {6701, 14}, {5595, 16}, {2908, 22}, {2569, 23}, {692, 7},
    {1875, 13}, {3363, 21}, {1875, 17}, {1875, 25}, {692, 23}, {692, 31}, {6128, 15}, {5611, 7},
    {5611, 16}, {9248, 6}, {9179, 7}, {92, 2}, {9186, 7}, {1900, 5}, {4723, 18}, {1900, 25}, {4741, 18},
    {4237, 19}, {6143, 15}, {7282, 10}, {7719, 12}, {9254, 6}, {6158, 12}, {6729, 14}, {6743, 14},
    {1752, 10}, {2170, 24}, {8517, 8}, {8517, 10}, {5129, 11}, {5129, 17}, {6173, 10}, {6173, 15},
    {6188, 10}, {6757, 14}, {7731, 12}, {8800, 9}, {7743, 12}, {8527, 10}, {6203, 15}, {8537, 10},
    {5163, 17}, {5180, 17}, {5627, 16}, {7755, 12}, {3883, 20}, {2930, 22}, {5643, 16}, {8088, 11},
    {7767, 12}, {5197, 10}, {5197, 17}, {1192, 17}, {1192, 28}, {67, 6}, {3892, 7}, {3903, 20},
    {4759, 16}, {4759, 18}, {7779, 12}, {7308, 13}, {4777, 18}, {5231, 17}, {8809, 9}, {6785, 14},
    {7791, 12}, {3405, 21}, {2252, 3}, {5265, 17}, {8975, 8}, {2134, 12}, {7827, 12}, {8983, 8},
    {8991, 8}, {9375, 3}, {4305, 8}, {7221, 9}, {8557, 10}, {7839, 12}, {8132, 11}, {7373, 13},
    {3438, 9}, {9378, 3}, {9381, 3}, {7386, 5}, {7386, 13}, {9384, 3}, {4448, 2}, {9088, 7}, {9355, 4},
    {5907, 8}, {5907, 15}, {1175, 3}, {3923, 3}, {3923, 20}, {6649, 3}, {6649, 10}, {9387, 3},
    {9390, 3}, {8999, 3}, {8999, 8}, {8154, 11}, {5675, 16}, {9314, 3}, {9314, 5}, {4813, 18},
    {6827, 3}, {6827, 14}, {6841, 14}, {5691, 16}, {5707, 16}, {78, 2}, {7399, 13}, {4125, 6},
    {9393, 3}, {9015, 8}, {9396, 3}, {9399, 3}, {7412, 8}, {7412, 13}, {7425, 13}, {9023, 8}, {9402, 3},
    {6278, 8}, {6278, 15}, {9031, 8}, {8577, 10}, {8587, 10}, {9193, 7}, {5316, 17}, {9359, 4},
    {9200, 7}, {7851, 10}, {7851, 12}, {7451, 13}, {8818, 9}, {1011, 6}, {1011, 10}, {4292, 3},
    {8187, 11}, {7464, 13}, {7863, 12}, {7875, 12}, {6911, 9}, {6911, 14}, {8607, 10}, {7887, 12},
    {6293, 15}, {8827, 9}, {1572, 3}, {9039, 8}, {7477, 13}, {2194, 24}, {3847, 16}, {7899, 12},
    {4849, 18}, {4378, 11}, {6925, 14}, {5287, 12}, {6057, 11}, {7911, 3}, {7911, 12}, {9207, 7},
    {7923, 5}, {7923, 12}, {6939, 6}, {6939, 14}, {5723, 9}, {5723, 16}, {442, 7}, {1220, 28},
    {4275, 19}, {2638, 23}, {1248, 28}, {4867, 16}, {4867, 18}, {7935, 12}, {9405, 3}, {4433, 13},
    {948, 6}, {8209, 11}, {6308, 15}, {8617, 10}, {7490, 13}, {8627, 10}, {8220, 11}, {7959, 12},
    {7503, 13}, {193, 15}, {193, 35}, {262, 34}, {8845, 9}, {9047, 8}, {8337, 4}, {5739, 16}, {8495, 2},
    {6323, 15}, {9260, 6}, {8231, 11}, {2661, 17}, {2661, 23}, {3489, 21}, {4313, 19}, {2974, 22},
    {3510, 21}, {2684, 23}, {3531, 21}, {1276, 28}, {7983, 12}, {3182, 12}, {8854, 9}, {5755, 12},
    {5755, 16}, {6953, 14}, {6253, 10}, {6338, 15}, {6072, 11}, {2738, 15}, {9055, 8}, {4332, 19},
    {9408, 3}, {9411, 3}, {1021, 29}, {4351, 19}, {2218, 24}, {4003, 20}, {4768, 3}, {9438, 2},
    {6383, 5}, {6398, 4}, {6398, 15}, {3018, 7}, {3018, 13}, {8242, 11}, {5771, 16}, {2242, 24},
    {4885, 18}, {1050, 14}, {6981, 14}, {2939, 13}, {3594, 21}, {9063, 8}, {9414, 3}, {4903, 18},
    {5912, 3}, {3400, 5}, {4023, 10}, {5787, 16}, {4023, 20}, {7529, 13}, {9363, 4}, {1504, 8},
    {3062, 22}, {2707, 23}, {296, 22}, {2290, 24}, {330, 34}, {3084, 22}, {544, 20}, {2000, 25},
    {9071, 8}, {5803, 16}, {4921, 18}, {9417, 3}, {4408, 11}, {4939, 18}, {4408, 19}, {187, 2},
    {3615, 8}, {6995, 14}, {3615, 18}, {3615, 21}, {9319, 5}, {9324, 5}, {157, 7}, {4043, 20},
    {9266, 6}, {8552, 5}, {8872, 9}, {9079, 8}, {8677, 10}, {5835, 3}, {9367, 4}, {6712, 3}, {9087, 8},
    {4446, 8}, {7555, 13}, {4446, 19}, {8264, 11}, {8275, 11}, {6413, 13}, {6413, 15}, {4465, 19},
    {6428, 15}, {2314, 24}, {7568, 13}, {42, 7}, {2338, 24}, {42, 31}, {1620, 26}, {7023, 14},
    {3657, 21}, {6443, 15}, {6458, 15}, {8881, 9}, {7370, 3}, {87, 2}, {8890, 9}, {9214, 7}, {8687, 10},
    {9095, 8}, {8899, 9}, {364, 9}, {3720, 21}, {7051, 14}, {904, 30}, {2025, 25}, {4083, 20},
    {364, 34}, {5384, 17}, {5401, 17}, {4484, 19}, {723, 31}, {7995, 12}, {8908, 9}, {9221, 7},
    {9423, 3}, {7065, 14}, {8297, 11}, {7594, 13}, {8308, 11}, {8007, 12}, {7079, 14}, {7093, 14},
    {1698, 14}, {1698, 26}, {3431, 16}, {407, 3}, {9329, 5}, {9272, 6}, {8126, 6}, {8319, 11}, {230, 6},
    {8697, 10}, {3624, 9}, {3128, 22}, {9103, 8}, {9426, 3}, {6488, 15}, {9429, 3}, {4956, 3},
    {8019, 12}, {7107, 14}, {7620, 13}, {7121, 14}, {9228, 7}, {8674, 3}, {8917, 9}, {9111, 8},
    {7633, 13}, {7135, 14}, {1509, 3}, {8341, 11}, {2753, 7}, {8352, 11}, {8031, 12}, {1724, 14},
    {9432, 3}, {8717, 10}, {8374, 11}, {9119, 8}, {4522, 19}, {5931, 16}, {5947, 16}, {6268, 10},
    {9127, 8}, {8926, 9}, {7149, 14}, {9435, 3}, {4541, 19}, {9135, 8}, {8396, 11}, {8043, 3},
    {8043, 12}, {9334, 5}, {3762, 15}, {8061, 5}, {9278, 6}, {9143, 8}, {4560, 8}, {4560, 19},
    {3194, 10}, {4103, 20}, {3194, 22}, {7177, 14}, {9371, 4},
};

static const uint16_t aws_lists[70] = {
    2, 160, 295, 2, 15, 17, 2, 104, 111, 2, 106, 107, 2, 389, 390, 2, 152, 153, 3, 318, 386, 387, 2,
    181, 182, 2, 223, 224, 5, 219, 220, 221, 222, 225, 4, 228, 229, 230, 231, 2, 174, 241, 2, 175, 241,
    3, 133, 280, 332, 2, 339, 340, 2, 176, 241, 2, 356, 358, 2, 355, 356, 2, 375, 392, 2, 319, 393, 2,
    328, 436,
};

static const uint8_t aws_shapes[835] = {
    1, 0, 1, 5, 0, 1, 7, 127, 8, 255, 16, 255, 17, 255, 7, 0, 1, 7, 255, 8, 6, 10, 253, 16, 255, 17, 4,
    19, 255, 5, 0, 1, 7, 255, 8, 255, 16, 255, 17, 255, 1, 0, 2, 2, 0, 2, 1, 2, 1, 1, 2, 1, 1, 128, 8,
    2, 1, 6, 1, 7, 254, 8, 255, 12, 1, 15, 1, 16, 254, 17, 255, 15, 2, 103, 3, 24, 5, 90, 6, 131, 7, 36,
    8, 4, 9, 126, 11, 1, 12, 1, 13, 88, 15, 130, 16, 38, 17, 4, 18, 120, 21, 7, 13, 2, 127, 5, 122, 6,
    131, 7, 4, 8, 4, 9, 126, 11, 1, 12, 127, 15, 131, 16, 4, 17, 4, 18, 120, 21, 7, 15, 2, 253, 3, 2, 5,
    3, 6, 3, 7, 252, 8, 132, 9, 254, 11, 1, 12, 253, 13, 2, 15, 3, 16, 252, 17, 132, 18, 254, 21, 1, 13,
    2, 255, 5, 91, 6, 3, 7, 252, 8, 132, 9, 255, 12, 139, 14, 1, 15, 3, 16, 132, 17, 132, 18, 250, 20,
    112, 8, 3, 1, 6, 1, 7, 254, 8, 255, 13, 1, 15, 1, 16, 254, 17, 255, 8, 3, 90, 4, 90, 7, 127, 8, 39,
    13, 218, 14, 218, 16, 127, 17, 39, 11, 3, 91, 4, 91, 5, 122, 6, 131, 7, 36, 8, 36, 13, 219, 14, 219,
    15, 131, 16, 36, 17, 36, 8, 3, 217, 4, 217, 7, 255, 8, 167, 13, 217, 14, 217, 16, 255, 17, 167, 11,
    3, 219, 4, 219, 5, 1, 6, 1, 7, 254, 8, 166, 13, 219, 14, 219, 15, 1, 16, 254, 17, 166, 11, 3, 219,
    4, 219, 5, 3, 6, 3, 7, 252, 8, 164, 13, 219, 14, 219, 15, 3, 16, 252, 17, 164, 11, 3, 219, 4, 219,
    5, 91, 6, 3, 7, 164, 8, 164, 13, 219, 14, 219, 15, 3, 16, 164, 17, 164, 8, 3, 219, 4, 219, 7, 255,
    8, 167, 13, 218, 14, 218, 16, 255, 17, 167, 8, 3, 219, 4, 219, 7, 255, 8, 167, 13, 218, 14, 219, 16,
    255, 17, 167, 8, 3, 219, 4, 219, 7, 255, 8, 167, 13, 219, 14, 219, 16, 255, 17, 167, 4, 4, 217, 8,
    36, 14, 217, 17, 38, 9, 4, 219, 5, 1, 6, 1, 7, 254, 8, 166, 14, 219, 15, 1, 16, 254, 17, 166, 7, 4,
    219, 7, 255, 8, 167, 13, 88, 14, 131, 16, 255, 17, 135, 6, 4, 219, 7, 255, 8, 167, 14, 219, 16, 255,
    17, 167, 9, 5, 1, 6, 1, 7, 254, 8, 134, 11, 255, 15, 1, 16, 254, 17, 134, 21, 255, 8, 5, 1, 6, 1, 7,
    255, 8, 255, 12, 1, 15, 1, 16, 254, 17, 255, 8, 5, 1, 6, 1, 7, 255, 8, 255, 13, 1, 15, 1, 16, 254,
    17, 255, 8, 5, 3, 6, 3, 7, 255, 8, 255, 13, 131, 15, 3, 16, 255, 17, 255, 9, 5, 97, 6, 1, 7, 255, 8,
    255, 12, 97, 15, 1, 16, 254, 17, 254, 21, 1, 4, 7, 103, 8, 255, 16, 255, 17, 255, 4, 7, 124, 8, 255,
    16, 125, 17, 255, 4, 7, 125, 8, 255, 16, 125, 17, 255, 4, 7, 126, 8, 255, 16, 253, 17, 255, 4, 7,
    126, 8, 255, 16, 255, 17, 255, 4, 7, 127, 8, 135, 16, 255, 17, 135, 5, 7, 127, 8, 255, 12, 1, 16,
    255, 17, 255, 4, 7, 127, 8, 255, 16, 255, 17, 255, 1, 7, 129, 3, 7, 129, 8, 255, 17, 255, 4, 7, 253,
    10, 253, 16, 255, 19, 255, 2, 7, 253, 16, 255, 6, 7, 255, 8, 6, 10, 253, 16, 255, 17, 4, 19, 255, 4,
    7, 255, 8, 7, 16, 255, 17, 5, 4, 7, 255, 8, 124, 16, 255, 17, 124, 4, 7, 255, 8, 127, 16, 255, 17,
    127, 6, 7, 255, 8, 135, 11, 127, 16, 255, 17, 135, 21, 126, 6, 7, 255, 8, 135, 11, 127, 16, 255, 17,
    135, 21, 127, 5, 7, 255, 8, 135, 14, 1, 16, 255, 17, 135, 4, 7, 255, 8, 135, 16, 255, 17, 135, 4, 7,
    255, 8, 135, 16, 255, 17, 255, 5, 7, 255, 8, 255, 14, 1, 16, 255, 17, 255, 4, 7, 255, 8, 255, 16,
    255, 17, 125, 4, 7, 255, 8, 255, 16, 255, 17, 127, 4, 7, 255, 8, 255, 16, 255, 17, 255, 2, 8, 1, 17,
    129, 2, 8, 1, 17, 135, 2, 8, 129, 17, 129, 2, 8, 131, 17, 131, 2, 8, 255, 17, 255, 1, 12, 1, 2, 12,
    1, 18, 1, 1, 12, 3, 2, 12, 128, 18, 128, 1, 16, 1, 1, 16, 2, 2, 16, 4, 17, 131, 2, 16, 6, 17, 3, 1,
    16, 129, 1, 16, 137, 1, 17, 1, 1, 17, 129, 1, 17, 131, 1, 18, 1, 1, 18, 128,
};

static const struct aws_name aws_names[AWS_NAMES] = {
    {{3321, 21}, 362, 748}, {{7659, 5}, 0, 748}, {{5993, 15}, 1, 591}, {{2864, 7}, 2, 284},
    {{2864, 14}, 3, 748}, {{2864, 22}, 4, 748}, {{8967, 3}, 5, 591}, {{8967, 8}, 5, 823},
    {{9158, 7}, 6, 591}, {{6589, 14}, 102, 748}, {{8055, 11}, 435, 748}, {{6008, 15}, 7, 710},
    {{629, 14}, 8, 701}, {{629, 22}, 9, 701}, {{3342, 21}, 250, 748}, {{8102, 8}, 127, 748},
    {{9309, 5}, 10, 748}, {{4651, 7}, 278, 748}, {{4651, 18}, 279, 748}, {{5499, 7}, 12, 748},
    {{6603, 14}, 13, 748}, {{5499, 16}, 14, 748}, {{6023, 15}, 294, 748}, {{9347, 3}, 32768, 826},
    {{9347, 4}, 297, 748}, {{4669, 18}, 361, 814}, {{2122, 24}, 119, 748}, {{8066, 11}, 278, 748},
    {{7217, 13}, 125, 655}, {{6645, 7}, 144, 637}, {{6645, 14}, 145, 748}, {{5044, 17}, 204, 772},
    {{3843, 20}, 202, 748}, {{1568, 26}, 201, 748}, {{6038, 15}, 205, 748}, {{5515, 16}, 207, 748},
    {{6053, 15}, 208, 748}, {{6068, 15}, 265, 748}, {{8077, 11}, 323, 748}, {{7230, 13}, 361, 562},
    {{4705, 18}, 415, 820}, {{6659, 14}, 442, 748}, {{5061, 17}, 204, 646}, {{2500, 10}, 32771, 748},
    {{8773, 9}, 18, 748}, {{5531, 16}, 23, 748}, {{7243, 9}, 19, 591}, {{7243, 13}, 20, 591},
    {{8782, 9}, 21, 748}, {{9165, 7}, 22, 748}, {{2523, 23}, 24, 591}, {{1850, 25}, 27, 748},
    {{4161, 19}, 26, 748}, {{4180, 19}, 25, 748}, {{9172, 7}, 28, 748}, {{8791, 9}, 29, 748},
    {{8487, 10}, 30, 748}, {{8360, 7}, 31, 748}, {{8114, 3}, 11, 748}, {{120, 27}, 347, 820},
    {{120, 37}, 347, 829}, {{0, 17}, 32, 748}, {{0, 31}, 32, 381}, {{0, 42}, 32, 48},
    {{6098, 15}, 33, 748}, {{7735, 8}, 34, 364}, {{9242, 6}, 35, 748}, {{7695, 12}, 36, 748},
    {{2535, 11}, 37, 591}, {{5078, 17}, 38, 591}, {{9351, 4}, 39, 748}, {{6687, 6}, 40, 748},
    {{6687, 14}, 41, 748}, {{7269, 13}, 42, 748}, {{8572, 5}, 43, 562}, {{6701, 14}, 44, 424},
    {{5595, 16}, 45, 409}, {{2908, 22}, 46, 424}, {{2569, 23}, 47, 424}, {{692, 7}, 48, 748},
    {{1875, 13}, 49, 748}, {{3363, 21}, 50, 748}, {{1875, 17}, 51, 748}, {{1875, 25}, 52, 748},
    {{692, 23}, 53, 748}, {{692, 31}, 54, 748}, {{6128, 15}, 55, 748}, {{5611, 7}, 56, 347},
    {{5611, 16}, 57, 473}, {{9248, 6}, 58, 748}, {{9179, 7}, 59, 160}, {{7786, 5}, 108, 748},
    {{5112, 9}, 216, 591}, {{5112, 17}, 217, 748}, {{4199, 19}, 251, 820}, {{4218, 19}, 251, 748},
    {{92, 2}, 60, 307}, {{9186, 7}, 61, 748}, {{1900, 5}, 62, 473}, {{7282, 10}, 68, 748},
    {{7282, 13}, 69, 748}, {{9254, 6}, 70, 748}, {{6158, 15}, 71, 748}, {{6729, 14}, 72, 748},
    {{6743, 14}, 73, 591}, {{1752, 10}, 74, 129}, {{2170, 24}, 75, 701}, {{8517, 8}, 76, 748},
    {{8517, 10}, 77, 748}, {{5129, 11}, 78, 748}, {{5129, 17}, 79, 748}, {{6173, 10}, 80, 591},
    {{6173, 15}, 81, 748}, {{6188, 15}, 83, 748}, {{7295, 13}, 423, 801}, {{7731, 12}, 84, 748},
    {{8800, 9}, 85, 748}, {{7743, 12}, 86, 437}, {{8527, 10}, 87, 748}, {{6203, 15}, 88, 748},
    {{8537, 10}, 89, 748}, {{5146, 17}, 92, 748}, {{5163, 17}, 90, 748}, {{5180, 17}, 91, 748},
    {{7755, 12}, 93, 748}, {{3883, 20}, 94, 748}, {{2930, 22}, 95, 748}, {{5643, 16}, 96, 748},
    {{8088, 11}, 97, 748}, {{7767, 12}, 98, 748}, {{5197, 10}, 99, 748}, {{5197, 17}, 100, 748},
    {{1192, 17}, 101, 748}, {{67, 6}, 103, 591}, {{3892, 7}, 32774, 748}, {{5214, 17}, 32777, 748},
    {{3911, 12}, 105, 748}, {{8809, 9}, 112, 748}, {{3384, 21}, 294, 748}, {{6785, 14}, 113, 748},
    {{531, 33}, 307, 748}, {{7791, 12}, 114, 748}, {{3405, 21}, 115, 748}, {{8099, 11}, 127, 777},
    {{5248, 17}, 241, 748}, {{8110, 11}, 241, 748}, {{6218, 15}, 241, 748}, {{7321, 13}, 241, 748},
    {{7334, 13}, 241, 748}, {{6233, 15}, 241, 748}, {{2252, 3}, 116, 748}, {{7803, 12}, 199, 591},
    {{4795, 18}, 227, 748}, {{3426, 21}, 385, 748}, {{8121, 11}, 32780, 748}, {{7815, 12}, 199, 801},
    {{5282, 8}, 199, 600}, {{5659, 16}, 205, 748}, {{5282, 17}, 207, 748}, {{7347, 13}, 200, 748},
    {{6248, 15}, 264, 748}, {{8547, 10}, 326, 748}, {{8975, 8}, 118, 748}, {{2134, 12}, 119, 748},
    {{7827, 12}, 120, 748}, {{814, 30}, 308, 748}, {{7360, 13}, 354, 748}, {{8983, 8}, 121, 748},
    {{992, 29}, 186, 748}, {{8991, 8}, 122, 544}, {{9375, 3}, 123, 748}, {{4305, 8}, 124, 748},
    {{2952, 22}, 252, 748}, {{7221, 9}, 125, 767}, {{8557, 10}, 126, 748}, {{8132, 11}, 128, 748},
    {{7373, 13}, 129, 748}, {{3438, 9}, 130, 748}, {{3447, 21}, 253, 748}, {{9378, 3}, 131, 591},
    {{9381, 3}, 132, 526}, {{7386, 13}, 134, 748}, {{8143, 11}, 127, 777}, {{9384, 3}, 135, 748},
    {{4448, 2}, 136, 748}, {{9088, 7}, 137, 748}, {{9355, 4}, 138, 748}, {{5907, 8}, 139, 748},
    {{1175, 3}, 141, 748}, {{3923, 3}, 142, 591}, {{3923, 20}, 143, 748}, {{6649, 3}, 144, 603},
    {{6649, 10}, 145, 820}, {{9387, 3}, 146, 748}, {{6813, 14}, 363, 748}, {{9390, 3}, 147, 772},
    {{8999, 3}, 148, 562}, {{8999, 8}, 149, 535}, {{8154, 11}, 150, 591}, {{5675, 16}, 151, 591},
    {{5299, 17}, 147, 748}, {{3943, 20}, 32783, 591}, {{3805, 16}, 155, 591}, {{4256, 19}, 154, 748},
    {{7004, 5}, 32786, 748}, {{6827, 14}, 156, 591}, {{6841, 14}, 157, 748}, {{4831, 18}, 158, 748},
    {{2592, 23}, 254, 809}, {{2615, 23}, 254, 748}, {{5707, 16}, 159, 748}, {{8165, 11}, 278, 748},
    {{78, 2}, 32768, 730}, {{4125, 6}, 162, 591}, {{4125, 8}, 161, 748}, {{9393, 3}, 163, 748},
    {{8176, 11}, 16, 748}, {{844, 30}, 364, 748}, {{8567, 10}, 43, 798}, {{9007, 8}, 148, 798},
    {{6263, 15}, 423, 817}, {{9015, 8}, 164, 748}, {{9396, 3}, 165, 748}, {{9399, 3}, 166, 748},
    {{7412, 8}, 167, 748}, {{7412, 13}, 168, 748}, {{7425, 13}, 169, 748}, {{9023, 8}, 170, 719},
    {{9402, 3}, 171, 748}, {{6278, 8}, 172, 748}, {{6278, 15}, 173, 535}, {{1925, 25}, 365, 748},
    {{1653, 3}, 241, 748}, {{9031, 8}, 174, 748}, {{8577, 10}, 175, 748}, {{8587, 10}, 176, 748},
    {{5251, 14}, 241, 748}, {{9193, 7}, 177, 591}, {{7438, 13}, 185, 790}, {{5316, 17}, 178, 748},
    {{9359, 4}, 179, 748}, {{9200, 7}, 180, 748}, {{7851, 10}, 32790, 591}, {{7451, 13}, 183, 748},
    {{8818, 9}, 184, 591}, {{1011, 6}, 185, 490}, {{3160, 12}, 109, 748}, {{1011, 10}, 186, 748},
    {{4292, 3}, 187, 71}, {{8187, 11}, 188, 748}, {{6883, 14}, 187, 40}, {{8597, 10}, 187, 793},
    {{6897, 14}, 63, 748}, {{7464, 13}, 189, 591}, {{7863, 12}, 190, 748}, {{7875, 12}, 191, 456},
    {{564, 33}, 367, 748}, {{5333, 17}, 422, 748}, {{6911, 9}, 192, 748}, {{6911, 14}, 193, 748},
    {{8607, 10}, 194, 748}, {{7887, 12}, 195, 748}, {{6293, 15}, 196, 748}, {{8827, 9}, 197, 424},
    {{1572, 3}, 198, 748}, {{7899, 12}, 203, 748}, {{4378, 11}, 205, 748}, {{6925, 14}, 206, 748},
    {{5287, 12}, 207, 748}, {{7911, 3}, 209, 748}, {{9207, 7}, 211, 748}, {{8198, 11}, 210, 748},
    {{3468, 21}, 370, 748}, {{7923, 5}, 212, 591}, {{8836, 9}, 212, 762}, {{7923, 12}, 213, 748},
    {{6939, 6}, 214, 748}, {{6939, 14}, 215, 535}, {{442, 7}, 218, 591}, {{442, 14}, 218, 748},
    {{4867, 16}, 32793, 748}, {{7935, 12}, 32796, 748}, {{9405, 3}, 226, 748}, {{4433, 13}, 227, 748},
    {{948, 6}, 32802, 748}, {{7947, 12}, 232, 748}, {{193, 15}, 237, 748}, {{193, 35}, 238, 748},
    {{262, 34}, 239, 748}, {{8845, 9}, 240, 748}, {{8337, 4}, 242, 591}, {{5739, 16}, 243, 748},
    {{8495, 2}, 244, 748}, {{6323, 15}, 245, 748}, {{9260, 6}, 246, 748}, {{7971, 12}, 247, 748},
    {{2661, 17}, 248, 748}, {{2661, 23}, 249, 748}, {{4294, 19}, 124, 748}, {{8113, 8}, 32807, 748},
    {{1276, 28}, 256, 748}, {{3552, 21}, 64, 748}, {{7983, 12}, 257, 748}, {{3182, 12}, 258, 748},
    {{8854, 9}, 259, 748}, {{5755, 12}, 260, 748}, {{5755, 16}, 261, 748}, {{6953, 14}, 262, 748},
    {{6253, 10}, 263, 748}, {{6072, 11}, 265, 820}, {{2738, 15}, 266, 748}, {{6967, 14}, 65, 748},
    {{8863, 9}, 267, 748}, {{6353, 15}, 66, 748}, {{6221, 12}, 241, 748}, {{3963, 20}, 268, 804},
    {{3983, 20}, 268, 739}, {{2996, 22}, 368, 798}, {{5350, 17}, 368, 748}, {{9408, 3}, 269, 748},
    {{9411, 3}, 270, 748}, {{4351, 19}, 272, 748}, {{1950, 25}, 273, 748}, {{3573, 21}, 274, 748},
    {{6368, 15}, 233, 814}, {{7516, 13}, 235, 748}, {{8637, 10}, 233, 562}, {{4370, 19}, 205, 748},
    {{8647, 10}, 82, 591}, {{4768, 3}, 275, 748}, {{9438, 2}, 276, 748}, {{6383, 15}, 277, 748},
    {{8657, 10}, 282, 748}, {{3018, 13}, 281, 748}, {{5771, 16}, 283, 748}, {{2242, 24}, 284, 748},
    {{4885, 18}, 285, 748}, {{1050, 14}, 286, 204}, {{1050, 29}, 286, 785}, {{2266, 24}, 286, 785},
    {{6981, 14}, 287, 748}, {{2939, 13}, 288, 535}, {{3040, 22}, 289, 390}, {{9063, 8}, 290, 748},
    {{9414, 3}, 291, 748}, {{4903, 18}, 292, 748}, {{5912, 3}, 293, 748}, {{9115, 4}, 407, 748},
    {{3400, 5}, 294, 748}, {{8253, 11}, 278, 748}, {{7529, 13}, 298, 221}, {{9363, 4}, 299, 748},
    {{7542, 3}, 296, 701}, {{1504, 8}, 300, 591}, {{4389, 19}, 110, 748}, {{3062, 22}, 301, 748},
    {{2707, 23}, 302, 748}, {{296, 22}, 303, 677}, {{296, 34}, 303, 832}, {{1079, 29}, 303, 832},
    {{2290, 24}, 304, 748}, {{874, 18}, 305, 677}, {{874, 30}, 305, 832}, {{1975, 25}, 305, 832},
    {{3084, 22}, 306, 748}, {{9071, 8}, 309, 424}, {{5803, 16}, 310, 748}, {{4921, 18}, 311, 748},
    {{9417, 3}, 312, 748}, {{4408, 11}, 313, 748}, {{4939, 18}, 314, 748}, {{4408, 19}, 315, 748},
    {{187, 2}, 316, 748}, {{3615, 8}, 317, 748}, {{9319, 5}, 321, 748}, {{7324, 10}, 32810, 748},
    {{9324, 5}, 322, 748}, {{8667, 10}, 405, 748}, {{157, 18}, 324, 690}, {{157, 28}, 324, 832},
    {{1867, 7}, 117, 748}, {{9266, 6}, 325, 748}, {{8872, 9}, 327, 535}, {{4427, 19}, 227, 748},
    {{5819, 16}, 421, 748}, {{450, 5}, 398, 0}, {{8677, 10}, 329, 748}, {{5835, 3}, 330, 591},
    {{5835, 16}, 330, 832}, {{5851, 16}, 330, 51}, {{9367, 4}, 331, 748}, {{6712, 3}, 32813, 3},
    {{9087, 8}, 333, 748}, {{4446, 8}, 334, 748}, {{7555, 13}, 335, 748}, {{4446, 19}, 336, 748},
    {{1035, 15}, 271, 748}, {{8264, 11}, 337, 748}, {{3636, 21}, 255, 748}, {{8275, 11}, 338, 748},
    {{6413, 13}, 32817, 748}, {{4465, 19}, 341, 748}, {{6428, 15}, 342, 591}, {{7568, 13}, 344, 748},
    {{42, 7}, 345, 102}, {{2338, 24}, 346, 748}, {{42, 31}, 347, 330}, {{42, 41}, 347, 782},
    {{1620, 26}, 348, 748}, {{7009, 14}, 345, 793}, {{7023, 14}, 349, 748}, {{3657, 21}, 350, 748},
    {{6443, 15}, 351, 748}, {{6458, 15}, 352, 591}, {{1646, 10}, 32820, 748}, {{8881, 9}, 353, 748},
    {{7370, 3}, 354, 748}, {{5867, 16}, 234, 814}, {{3106, 22}, 369, 798}, {{2730, 23}, 266, 748},
    {{7037, 14}, 236, 748}, {{4063, 20}, 109, 777}, {{8286, 11}, 234, 562}, {{415, 17}, 369, 562},
    {{87, 2}, 355, 14}, {{663, 10}, 356, 624}, {{938, 16}, 355, 619}, {{1501, 11}, 32823, 748},
    {{5367, 17}, 32826, 610}, {{9214, 7}, 357, 748}, {{9095, 8}, 359, 748}, {{8899, 9}, 360, 748},
    {{4083, 20}, 366, 748}, {{7995, 12}, 372, 507}, {{8908, 9}, 373, 748}, {{4503, 19}, 124, 748},
    {{9221, 7}, 374, 748}, {{9420, 3}, 411, 748}, {{9423, 3}, 32829, 29}, {{6473, 15}, 139, 591},
    {{7065, 14}, 376, 748}, {{8297, 11}, 377, 748}, {{7594, 13}, 378, 748}, {{8308, 11}, 379, 748},
    {{8007, 12}, 380, 748}, {{7079, 14}, 381, 591}, {{1698, 14}, 383, 748}, {{1698, 26}, 384, 591},
    {{3431, 16}, 385, 748}, {{7607, 13}, 382, 591}, {{9272, 6}, 388, 187}, {{8126, 6}, 389, 748},
    {{230, 6}, 391, 748}, {{3624, 9}, 320, 748}, {{4957, 18}, 32832, 748}, {{3128, 22}, 394, 748},
    {{9103, 8}, 395, 748}, {{9426, 3}, 396, 591}, {{5883, 16}, 397, 748}, {{9429, 3}, 398, 591},
    {{4956, 3}, 399, 591}, {{8019, 12}, 400, 748}, {{7107, 14}, 401, 748}, {{7620, 13}, 402, 748},
    {{7121, 14}, 403, 748}, {{9228, 7}, 404, 748}, {{8674, 3}, 406, 591}, {{8368, 6}, 408, 748},
    {{3392, 13}, 294, 748}, {{7135, 14}, 409, 748}, {{8330, 11}, 242, 591}, {{3150, 22}, 109, 777},
    {{5899, 16}, 140, 777}, {{5915, 16}, 140, 571}, {{1509, 3}, 410, 580}, {{3172, 22}, 258, 801},
    {{2753, 7}, 412, 244}, {{2753, 23}, 412, 43}, {{4975, 18}, 412, 43}, {{8707, 10}, 413, 748},
    {{8031, 12}, 414, 748}, {{1724, 14}, 415, 664}, {{1724, 26}, 415, 832}, {{3741, 21}, 415, 832},
    {{9432, 3}, 416, 591}, {{8363, 11}, 408, 739}, {{8717, 10}, 417, 748}, {{2328, 7}, 343, 748},
    {{8727, 10}, 294, 748}, {{8374, 3}, 418, 261}, {{9119, 8}, 419, 748}, {{6663, 10}, 442, 748},
    {{4522, 19}, 420, 748}, {{5418, 17}, 422, 757}, {{5931, 16}, 421, 757}, {{6236, 12}, 241, 748},
    {{398, 34}, 371, 748}, {{6268, 10}, 423, 553}, {{9127, 8}, 424, 748}, {{8926, 9}, 425, 748},
    {{7149, 14}, 426, 748}, {{9435, 3}, 427, 748}, {{4541, 19}, 428, 748}, {{8385, 11}, 67, 748},
    {{9235, 7}, 429, 748}, {{8396, 11}, 430, 748}, {{8043, 3}, 431, 54}, {{8043, 12}, 432, 748},
    {{9334, 5}, 433, 748}, {{3762, 15}, 434, 748}, {{3762, 21}, 434, 748}, {{9278, 6}, 32835, 748},
    {{9143, 8}, 437, 748}, {{6518, 15}, 294, 748}, {{4560, 8}, 438, 748}, {{4560, 19}, 439, 748},
    {{3194, 10}, 440, 748}, {{4103, 20}, 441, 748}, {{7177, 14}, 443, 748}, {{9371, 4}, 444, 748},
};

static const struct aws_pattern aws_patterns[AWS_PATTERNS] = {
    {{9339, 4}, 0, 0xff}, /* HN.D */
    {{9343, 4}, 0, 0xff}, /* HN.U */
    {{8951, 8}, 0, 0xff}, /* N-fips.D */
    {{8407, 10}, 0, 0xff}, /* N-fips.G.D */
    {{8417, 10}, 0, 0xff}, /* N-fips.G.U */
    {{8427, 10}, 0, 0xff}, /* N-fips.P.D */
    {{8437, 10}, 0, 0xff}, /* N-fips.P.U */
    {{8447, 10}, 0, 0xff}, /* N-fips.R.D */
    {{8457, 10}, 0, 0xff}, /* N-fips.R.U */
    {{8959, 8}, 0, 0xff}, /* N-fips.U */
    {{3783, 20}, 0, 0xff}, /* N-fips.dualstack.R.D */
    {{5963, 15}, 0, 0xff}, /* N-fips.global.U */
    {{9340, 3}, 0, 0xff}, /* N.D */
    {{9284, 5}, 0, 0xff}, /* N.G.D */
    {{9289, 5}, 0, 0xff}, /* N.G.U */
    {{9294, 5}, 0, 0xff}, /* N.P.U */
    {{9299, 5}, 0, 0xff}, /* N.R.D */
    {{9304, 5}, 0, 0xff}, /* N.R.U */
    {{9344, 3}, 0, 0xff}, /* N.U */
    {{5978, 15}, 0, 0xff}, /* N.dualstack.R.D */
    {{8467, 10}, 0, 0xff}, /* N.global.D */
    {{8477, 10}, 0, 0xff}, /* N.global.U */
    {{1750, 25}, 75, 0x01}, /* A.cloudfront-kvs.global.U  cloudfront-keyvaluestore */
    {{1412, 26}, 218, 0xe7}, /* A.control-kinesis-fips.R.D  kinesis */
    {{1438, 26}, 218, 0xe7}, /* A.control-kinesis-fips.R.U  kinesis */
    {{432, 33}, 218, 0xe7}, /* A.control-kinesis-queues-fips.R.D  kinesis */
    {{465, 33}, 218, 0xe7}, /* A.control-kinesis-queues-fips.R.U  kinesis */
    {{1108, 28}, 218, 0xe7}, /* A.control-kinesis-queues.R.D  kinesis */
    {{1136, 28}, 218, 0xe7}, /* A.control-kinesis-queues.R.U  kinesis */
    {{3216, 21}, 218, 0xe7}, /* A.control-kinesis.R.D  kinesis */
    {{3237, 21}, 218, 0xe7}, /* A.control-kinesis.R.U  kinesis */
    {{2362, 23}, 218, 0xe7}, /* A.data-kinesis-fips.R.D  kinesis */
    {{2385, 23}, 218, 0xe7}, /* A.data-kinesis-fips.R.U  kinesis */
    {{754, 30}, 218, 0xe7}, /* A.data-kinesis-queues-fips.R.D  kinesis */
    {{784, 30}, 218, 0xe7}, /* A.data-kinesis-queues-fips.R.U  kinesis */
    {{1775, 25}, 218, 0xe7}, /* A.data-kinesis-queues.R.D  kinesis */
    {{1800, 25}, 218, 0xe7}, /* A.data-kinesis-queues.R.U  kinesis */
    {{4579, 18}, 218, 0xe7}, /* A.data-kinesis.R.D  kinesis */
    {{4597, 18}, 218, 0xe7}, /* A.data-kinesis.R.U  kinesis */
    {{8737, 9}, 139, 0x83}, /* A.ddb.R.D  dynamodb */
    {{8746, 9}, 139, 0x83}, /* A.ddb.R.U  dynamodb */
    {{4123, 19}, 161, 0xff}, /* A.eventsv2-fips.R.D  eventbridgev2 */
    {{4142, 19}, 161, 0xff}, /* A.eventsv2-fips.R.U  eventbridgev2 */
    {{6533, 14}, 161, 0xff}, /* A.eventsv2.R.D  eventbridgev2 */
    {{6547, 14}, 161, 0xff}, /* A.eventsv2.R.U  eventbridgev2 */
    {{3258, 21}, 356, 0xfd}, /* A.s3-control-fips.R.D  s3control */
    {{661, 31}, 356, 0xfd}, /* A.s3-control-fips.dualstack.R.D  s3control */
    {{5435, 16}, 356, 0xff}, /* A.s3-control.R.D  s3control */
    {{1464, 26}, 356, 0xff}, /* A.s3-control.dualstack.R.D  s3control */
    {{5451, 16}, 139, 0x83}, /* A.search-ddb.R.D  dynamodb */
    {{5467, 16}, 139, 0x83}, /* A.search-ddb.R.U  dynamodb */
    {{2776, 22}, 140, 0x83}, /* A.streams-ddb-fips.R.D  dynamodbstreams */
    {{2798, 22}, 140, 0x83}, /* A.streams-ddb-fips.R.U  dynamodbstreams */
    {{4993, 17}, 140, 0x83}, /* A.streams-ddb.R.D  dynamodbstreams */
    {{5010, 17}, 140, 0x83}, /* A.streams-ddb.R.U  dynamodbstreams */
    {{8935, 8}, 355, 0xff}, /* B.s3-R.D  s3 */
    {{7191, 13}, 355, 0xfd}, /* B.s3-fips.R.D  s3 */
    {{2408, 23}, 355, 0xfd}, /* B.s3-fips.dualstack.R.D  s3 */
    {{8943, 8}, 355, 0xff}, /* B.s3.R.D  s3 */
    {{4615, 18}, 355, 0xff}, /* B.s3.dualstack.R.D  s3 */
    {{9151, 7}, 355, 0x01}, /* HB.s3.D  s3 */
    {{498, 33}, 391, 0x80}, /* Hsignin-fips.amazonaws-us-gov.com  signin */
    {{1490, 26}, 355, 0xff}, /* L--op-s3.L.s3-outposts.R.D  s3 */
    {{7204, 13}, 355, 0xff}, /* L--x-s3.Z.R.D  s3 */
    {{2431, 23}, 355, 0xff}, /* L--x-s3.Z.dualstack.R.D  s3 */
    {{6561, 14}, 355, 0xff}, /* L--xa-s3.Z.R.D  s3 */
    {{2050, 24}, 355, 0xff}, /* L--xa-s3.Z.dualstack.R.D  s3 */
    {{3279, 21}, 355, 0xff}, /* L-A.L.s3-outposts.R.D  s3 */
    {{1304, 27}, 355, 0xfd}, /* L-A.s3-accesspoint-fips.R.D  s3 */
    {{83, 37}, 355, 0xfd}, /* L-A.s3-accesspoint-fips.dualstack.R.D  s3 */
    {{2820, 22}, 355, 0xff}, /* L-A.s3-accesspoint.R.D  s3 */
    {{597, 32}, 355, 0xff}, /* L-A.s3-accesspoint.dualstack.R.D  s3 */
    {{934, 29}, 355, 0xfd}, /* L-A.s3-object-lambda-fips.R.D  s3 */
    {{2074, 24}, 355, 0xff}, /* L-A.s3-object-lambda.R.D  s3 */
    {{1331, 27}, 355, 0xfd}, /* L.s3-object-lambda-fips.R.D  s3 */
    {{2842, 22}, 355, 0xff}, /* L.s3-object-lambda.R.D  s3 */
    {{3803, 20}, 155, 0x01}, /* R.elasticmapreduce.D  emr */
    {{3823, 20}, 155, 0x01}, /* R.elasticmapreduce.U  emr */
    {{5027, 17}, 281, 0xff}, /* R.neptune-graph.D  neptune-graph */
    {{4633, 18}, 391, 0x01}, /* R.oauth.signin.aws  signin */
    {{8755, 9}, 398, 0xf3}, /* R.queue.D  sqs */
    {{8764, 9}, 398, 0x01}, /* R.queue.U  sqs */
    {{228, 34}, 391, 0x80}, /* R.signin-fips.amazonaws-us-gov.com  signin */
    {{1516, 26}, 391, 0x04}, /* R.signin.amazonaws-eusc.eu  signin */
    {{963, 29}, 391, 0x80}, /* R.signin.amazonaws-us-gov.com  signin */
    {{3300, 21}, 391, 0x02}, /* R.signin.amazonaws.cn  signin */
    {{2454, 23}, 391, 0x01}, /* R.signin.aws.amazon.com  signin */
    {{2477, 23}, 391, 0x08}, /* R.signin.c2shome.ic.gov  signin */
    {{1825, 25}, 391, 0x20}, /* R.signin.csphome.adc-e.uk  signin */
    {{1358, 27}, 391, 0x40}, /* R.signin.csphome.hci.ic.gov  signin */
    {{1542, 26}, 391, 0x10}, /* R.signin.sc2shome.sgov.gov  signin */
    {{629, 32}, 9, 0x7e}, /* agent-registry-control.R.api.aws  agent-registry-control */
    {{2098, 24}, 8, 0x7e}, /* agent-registry.R.api.aws  agent-registry */
    {{1385, 27}, 422, 0xff}, /* ingest-cellC.timestream.R.D  timestream-write */
    {{3018, 22}, 281, 0xff}, /* neptune-graph.R.on.aws  neptune-graph */
    {{7542, 13}, 296, 0x7e}, /* osm.R.api.aws  opensearchmemory */
    {{157, 36}, 324, 0x7e}, /* pricingplanmanager.us-east-1.api.aws  pricing-plan-manager */
    {{1594, 26}, 421, 0xff}, /* query-cellC.timestream.R.D  timestream-query */
    {{1646, 26}, 176, 0x80}, /* routes.geo-fips.R.us-gov.D  geo-routes */
    {{1672, 26}, 176, 0x80}, /* routes.geo-fips.R.us-gov.U  geo-routes */
    {{3678, 21}, 176, 0x80}, /* routes.geo.R.us-gov.D  geo-routes */
    {{3699, 21}, 176, 0x80}, /* routes.geo.R.us-gov.U  geo-routes */
    {{8937, 6}, 355, 0xff}, /* s3-R.D  s3 */
};

static const struct aws_partition aws_partitions[AWS_PARTITIONS] = {
    {{176, 9}, {5483, 13}, {186, 7}, {8497, 10}}, /* aws, us-east-1 */
    {{6771, 14}, {5483, 16}, {1164, 28}, {7256, 13}}, /* aws-cn, cn-northwest-1 */
    {{6869, 14}, {7671, 12}, {2146, 24}, {6113, 15}}, /* aws-eusc, eusc-de-east-1 */
    {{7646, 13}, {8507, 10}, {6617, 14}, {6673, 14}}, /* aws-iso, us-iso-east-1 */
    {{7163, 14}, {7581, 13}, {6631, 14}, {5547, 16}}, /* aws-iso-b, us-isob-east-1 */
    {{6855, 14}, {6715, 14}, {2886, 22}, {5563, 16}}, /* aws-iso-e, eu-isoe-west-1 */
    {{6503, 15}, {6799, 14}, {4687, 18}, {5579, 16}}, /* aws-iso-f, us-isof-south-1 */
    {{5854, 13}, {5483, 13}, {186, 7}, {5095, 17}}, /* aws-us-gov, us-gov-west-1 */
};

static const struct aws_prefix aws_prefixes[AWS_REGION_PREFIXES] = {
    {{7924, 2}, 0}, /* af */
    {{186, 2}, 0}, /* ap */
    {{1705, 2}, 0}, /* ca */
    {{32, 2}, 1}, /* cn */
    {{452, 2}, 0}, /* eu */
    {{6855, 7}, 5}, /* eu-isoe */
    {{6869, 7}, 2}, /* eusc-de */
    {{1733, 2}, 0}, /* il */
    {{353, 2}, 0}, /* me */
    {{9440, 2}, 0}, /* mx */
    {{364, 2}, 0}, /* sa */
    {{74, 2}, 0}, /* us */
    {{252, 6}, 7}, /* us-gov */
    {{6503, 6}, 3}, /* us-iso */
    {{7163, 7}, 4}, /* us-isob */
    {{6503, 7}, 6}, /* us-isof */
};
