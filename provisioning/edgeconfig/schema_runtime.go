package edgeconfig

const runtimeSource = "IE edgelet/edgelet-settings/src/{base,docker}; IE edgelet/contrib/config/linux/template.toml"

var aziotRequestsTable = &Table{
	Path:   "aziot_max_requests",
	Source: "IIS super_config.rs",
	Keys: []Key{
		{Name: "keyd", Type: Number, Max: 1<<32 - 1, Default: "10"},
		{Name: "certd", Type: Number, Max: 1<<32 - 1, Default: "10"},
		{Name: "tpmd", Type: Number, Max: 1<<32 - 1, Default: "10"},
		{Name: "identityd", Type: Number, Max: 1<<32 - 1, Default: "10"},
	},
	Groups: []Group{{Keys: []string{"keyd", "certd", "tpmd", "identityd"}, Fatal: true, Means: "the limits"}},
}

var iotedgeRequestsTable = &Table{
	Path:   "iotedge_max_requests",
	Source: "IE super_config.rs",
	Keys: []Key{
		{Name: "management", Type: Number, Max: 1<<32 - 1, Default: "50"},
		{Name: "workload", Type: Number, Max: 1<<32 - 1, Default: "10"},
	},
	Groups: []Group{{Keys: []string{"management", "workload"}, Fatal: true, Means: "the limits"}},
}

var localIDTable = &Table{
	Path: "localid", Source: "IIS super_config.rs",
	Keys: []Key{{Name: "domain", Type: Text, Note: "not used by IoT Edge"}},
}

var agentTable = &Table{
	Path:   "agent",
	Source: runtimeSource,
	Keys: []Key{
		{Name: "name", Type: Text, Default: `"edgeAgent"`},
		{Name: "type", Type: Text, Words: []string{"docker"}, Default: `"docker"`},
		{Name: "imagePullPolicy", Type: Text, Words: []string{"on-create", "never"}, Default: `"on-create"`},
		{Name: "config", Type: SubTable, Table: agentConfigTable},
		{Name: "env", Type: TextMap, Default: "{}"},
	},
	Groups: []Group{{Keys: []string{"name", "type", "config"}, Fatal: true, Means: "the agent"}},
}

var agentConfigTable = &Table{
	Path:   "agent.config",
	Source: runtimeSource,
	Keys: []Key{
		{Name: "image", Type: Text, Required: true, Default: `"mcr.microsoft.com/azureiotedge-agent:1.6"`, Note: "the tag follows the minor version; $upstream is replaced by parent_hostname since 1.2.4"},
		{Name: "digest", Type: Text},
		{Name: "createOptions", Type: AnyTable, Note: "the Docker API's names, as a table"},
		{Name: "auth", Type: SubTable, Table: &Table{
			Path:   "agent.config.auth",
			Source: runtimeSource,
			Keys: []Key{
				{Name: "serveraddress", Type: Text},
				{Name: "username", Type: Text},
				{Name: "password", Type: Text, Secret: true},
				{Name: "email", Type: Text},
			},
		}},
	},
}

var connectTable = &Table{
	Path:   "connect",
	Source: runtimeSource,
	Keys: []Key{
		{Name: "workload_uri", Type: Text, Form: ConnectSocket, Default: `"unix:///var/run/iotedge/workload.sock"`},
		{Name: "management_uri", Type: Text, Form: ConnectSocket, Default: `"unix:///var/run/iotedge/mgmt.sock"`},
	},
	Groups: []Group{{Keys: []string{"workload_uri", "management_uri"}, Fatal: true, Means: "the sockets"}},
}

var listenTable = &Table{
	Path:   "listen",
	Source: runtimeSource,
	Keys: []Key{
		{Name: "workload_uri", Type: Text, Form: ListenSocket, Default: `"fd://aziot-edged.workload.socket"`},
		{Name: "management_uri", Type: Text, Form: ListenSocket, Default: `"fd://aziot-edged.mgmt.socket"`},
	},
	Groups: []Group{{Keys: []string{"workload_uri", "management_uri"}, Fatal: true, Means: "the sockets"}},
}

var watchdogTable = &Table{
	Path: "watchdog", Source: runtimeSource,
	Keys: []Key{{Name: "max_retries", Type: TextOrCount, Form: RestartLimit, Default: `"infinite"`}},
}

var mobyTable = &Table{
	Path:   "moby_runtime",
	Source: runtimeSource,
	Keys: []Key{
		{Name: "uri", Type: Text, Form: EngineSocket, Default: `"unix:///var/run/docker.sock"`},
		{Name: "network", Type: TextOrTable, Default: `"azure-iot-edge"`, Table: networkTable},
		{Name: "content_trust", Type: SubTable, Table: &Table{
			Path: "moby_runtime.content_trust", Source: runtimeSource,
			Keys: []Key{{Name: "ca_certs", Type: TextMap, Form: FileURI, Note: "registry to root certificate"}},
		}},
	},
	Groups: []Group{{Keys: []string{"uri", "network"}, Fatal: true, Means: "the container engine"}},
}

var networkTable = &Table{
	Path:   "moby_runtime.network",
	Source: runtimeSource,
	Keys: []Key{
		{Name: "name", Type: Text, Required: true},
		{Name: "ipv6", Type: Flag},
		{Name: "ipam", Type: SubTable, Table: &Table{
			Path: "moby_runtime.network.ipam", Source: runtimeSource,
			Keys: []Key{{Name: "config", Type: TableList, Table: &Table{
				Path: "moby_runtime.network.ipam.config", Source: runtimeSource,
				Keys: []Key{{Name: "gateway", Type: Text}, {Name: "subnet", Type: Text}, {Name: "ip_range", Type: Text}},
			}}},
		}},
	},
}

var garbageTable = &Table{
	Path:   "image_garbage_collection",
	Source: runtimeSource,
	Keys: []Key{
		{Name: "enabled", Type: Flag, Default: "true"},
		{Name: "cleanup_recurrence", Type: Text, Form: WholeDays, Default: `"1d"`},
		{Name: "image_age_cleanup_threshold", Type: Text, Form: WholeDays, Default: `"7d"`},
		{Name: "cleanup_time", Type: Text, Form: TimeOfDay, Default: `"00:00"`},
	},
}
